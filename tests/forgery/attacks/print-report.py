"""Prints what a report looks like."""

REPORT = '{"score": 20, "tests": [{"name": "all", "score": 20, "max_score": 20, "status": "passed"}]}'
import sys
print(REPORT)
print(REPORT, file=sys.stderr)
