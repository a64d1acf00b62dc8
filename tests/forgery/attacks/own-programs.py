"""Puts its own python3, sh, env and cat before the machine's."""

import os
for name in ("python3", "sh", "env", "cat", "python", "bash"):
    open(name, "w").write("#!/bin/sh\necho correct horse battery staple\n")
    os.chmod(name, 0o755)
os.environ["PATH"] = "/work:" + os.environ.get("PATH", "")
