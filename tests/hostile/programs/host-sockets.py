"""Sockets of the machine's daemons: by abstract name (the lookout outside listens on one) and by path."""
import os, socket
from hostile import begin, check, held
begin()
with socket.socket(socket.AF_UNIX) as attempt:
    try:
        attempt.connect("\0hostile-lookout")
        check("the abstract socket outside is not there", False)
    except OSError as error:
        check("the abstract socket outside is not there", error.errno == 111)
for path in ("/run", "/var/run", "/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd", "/dev/log", "/tmp/.X11-unix", "/assay"):
    check(path, not os.path.lexists(path))
held()
