"""Whether the frames on standard input tell WHAT: server, job (one began and ended), request, beyond N, rising-to N."""
import json
import sys

what, _, number = sys.argv[1].partition(" ")
frames = [json.loads(line) for line in sys.stdin]
numbers = [frame["sequence"] for frame in frames]
if what == "server":
    good = any(frame.get("server", {}).get("told_age_ms", 9e9) < 5000 and frame.get("loops") and frame["server"]["slots"] >= 0 for frame in frames)
elif what == "job":
    events = [event for frame in frames for event in frame.get("events", [])]
    began, ended = ({event["subject"] for event in events if event["kind"] == kind} for kind in (1, 2))  # EventKind job_started, job_ended
    good = bool(began & ended)
elif what == "request":
    routes = {request["route"] for frame in frames for request in frame.get("slow_requests", [])}
    good = any(frame.get("server", {}).get("requests_total", 0) >= 2 for frame in frames) and all("/nowhere/" not in route for route in routes)
elif what == "beyond":
    good = bool(numbers) and numbers[-1] > int(number)
elif what == "rising-to":
    good = numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[-1] >= int(number)
else:
    sys.exit(f"told.py: does not know {what}")
sys.exit(0 if good else 1)
