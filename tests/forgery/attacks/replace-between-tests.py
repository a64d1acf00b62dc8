"""Replaces the program while one test runs, for the next one."""

import sys
if sys.argv[1] != "build":
    open("run.sh.new", "w").write("echo correct horse battery staple\n")
    import os
    os.rename("run.sh.new", "/work/spare.sh")
    open("attack.py", "w").write("print('correct horse battery staple')\n")
