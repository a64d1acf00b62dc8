"""STATE COMMITMENT…: that the submission counts as handed in when one of these commitments was made, before it was received."""
import json
import sys
from pathlib import Path

state = json.loads(Path(sys.argv[1]).read_text())
times = {json.loads(Path(path).read_text())["committed_at"] for path in sys.argv[2:]}
print("committed", state["committed_at"] in times, "counts", state["handed_in_at"] == state["committed_at"] < state["received_at"], "late", state.get("late", False))
