"""Makes set-uid files and files that nobody may read."""

import os, shutil
os.makedirs("answer", exist_ok=True)
shutil.copy("/bin/sh", "answer/shell")
os.chmod("answer/shell", 0o6755)
open("answer/value", "w").write("x")
os.chmod("answer/value", 0)
os.chmod("answer", 0o111)
