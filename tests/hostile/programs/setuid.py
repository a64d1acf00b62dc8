"""Programs of root's with the set-user-id bit or with capabilities: brought along, in the image, of its own make."""
import os, shutil, subprocess, sys
from hostile import begin, check, held
begin()
here = os.path.dirname(sys.argv[0])
def whoami(path):
    return subprocess.run([path, "-u"], capture_output=True, text=True).stdout.strip()
check("brought along is set-user-id", os.stat(f"{here}/planted-setuid").st_mode & 0o4000)
check("set-user-id gives nothing", whoami(f"{here}/planted-setuid") == "1000")
check("capabilities are there", os.getxattr(f"{here}/planted-capable", "security.capability") != b"")
status = subprocess.run([f"{here}/planted-capable", "/proc/self/status"], capture_output=True, text=True).stdout
check("capabilities give nothing", "CapEff:\t0000000000000000" in status and "CapBnd:\t0000000000000000" in status)
shutil.copy("/usr/bin/id", "id")
os.chmod("id", 0o6755)
check("of its own", whoami("./id") == "1000")
try:
    os.setxattr("id", "security.capability", b"\1\0\0\2\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
    check("may give capabilities", False)
except OSError:
    check("may not give capabilities", True)
for name in ("su", "mount", "passwd", "chfn", "newgrp", "gpasswd"):
    if os.path.exists(f"/usr/bin/{name}"):
        check(f"/usr/bin is nosuid for {name}", os.statvfs(f"/usr/bin/{name}").f_flag & os.ST_NOSUID)
held()
