"""`write` leaves a mark wherever it can, `look` must find none of them."""
import os, sys
from hostile import begin, check, held
begin()
places = ["/", "/work", "/tmp", "/var/tmp", "/dev/shm", "/dev", "/root", "/home", "/usr/lib", "/usr/local/lib", "/etc", "/var", "/proc/self",
          "/mnt", os.path.expanduser("~/.cache"), os.path.expanduser("~/.ccache")]
marked = 0
for place in places:
    path = f"{place}/mark-of-an-earlier-run"
    if sys.argv[1] == "write":
        try:
            os.makedirs(place, exist_ok=True)
            open(path, "w").write("here")
            marked += 1
        except OSError:
            pass
    else:
        check(path, not os.path.lexists(path))
if sys.argv[1] == "write":
    check("wrote somewhere", marked >= 4)
check("work is empty at first", sys.argv[1] == "write" or os.listdir("/work") == [])
held()
