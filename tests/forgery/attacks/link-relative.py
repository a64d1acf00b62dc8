"""Climbs out of the sealed state with a relative link."""

import os
os.makedirs("answer", exist_ok=True)
if not os.path.lexists("answer/value"):
    os.symlink("../../../../../../grader/answer/value", "answer/value")
