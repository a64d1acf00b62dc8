"""KEYS: exactly one key signs now, and each other one ended, after it began."""
import json
import sys
from pathlib import Path

keys = json.loads(Path(sys.argv[1]).read_text())["keys"]
signing = [key for key in keys if key["until"] is None]
ended = [key for key in keys if key["until"] is not None and key["from"] <= key["until"]]
print("one signs" if len(signing) == 1 else f"{len(signing)} sign", "the others ended" if len(ended) == len(keys) - 1 else "of the others some have not ended",
      "no key twice" if len({key["key_id"] for key in keys}) == len(keys) else "a key is there twice")
