"""What systemd does for a service, as far as the server can see it. manager.py ASSAY DATA LOG"""
import array
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time

from visitor import Visitor, healthy

ASSAY, DATA, LOG = sys.argv[1:]
WAIT_S = 60
WATCHDOG_S = 4
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Manager:
    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.path = os.path.join(os.getcwd(), "notify")
        self.socket.bind(self.path)
        self.kept: dict[str, socket.socket] = {}

    def start(self, listen: str, passed: dict[str, socket.socket]) -> None:
        """As systemd hands descriptors on: from 3, named."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ASSAY_")}
        environment |= {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": str(WATCHDOG_S * 1_000_000), "LISTEN_FDS": str(len(passed)),
                        "LISTEN_FDNAMES": ":".join(passed)}
        numbers = [one.fileno() for one in passed.values()]
        # The pid is known to the process alone: the shell gives its own, and becomes the server.
        moves = " ".join(f"{3 + i}<&{number}" for i, number in enumerate(numbers))
        script = f'export LISTEN_PID=$$; exec "$0" serve --data "$1" --listen {listen} {moves}'
        with open(LOG, "ab") as log:
            self.server = subprocess.Popen(["bash", "-c", script, ASSAY, DATA], env=environment, pass_fds=numbers, stdin=subprocess.DEVNULL,
                                           stdout=subprocess.PIPE, stderr=log)
        line = self.server.stdout.readline().decode().strip()
        self.port = int(line.rpartition(":")[2])

    def message(self, seconds: float) -> dict[str, str] | None:
        """The next one of the main process; None: none came in time."""
        self.socket.settimeout(seconds)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                text, control, _, _ = self.socket.recvmsg(4096, 4096)
            except TimeoutError:
                return None
            pid, lines = 0, dict(line.split("=", 1) for line in text.decode().splitlines())
            for level, kind, data in control:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                    pid = array.array("i", data)[0]
                elif (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    self.kept[lines["FDNAME"]] = socket.socket(fileno=array.array("i", data[:4])[0])
            if pid == self.server.pid:
                return lines
        return None

    def await_message(self, name: str, value: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while (left := deadline - time.monotonic()) > 0:
            it = self.message(left)
            if it is not None and it.get(name) == value:
                return
        sys.exit(f"{name}={value} never came")

    def await_starvation(self) -> None:
        """Until the watchdog's time passes without a sign of life: then systemd would end it."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if self.message(WATCHDOG_S) is None:
                return
        sys.exit("it is still fed")


def ptrace(request: int, thread: int) -> None:
    if libc.ptrace(request, thread, None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def main() -> None:
    manager = Manager()
    manager.start("127.0.0.1:0", {})
    manager.await_message("FDSTORE", "1")
    manager.await_message("STATUS", f"listening on http://127.0.0.1:{manager.port}")
    print("READY, and the socket to keep" if list(manager.kept) == ["assay-public"] else manager.kept, flush=True)

    manager.await_message("WATCHDOG", "1")
    print("fed", flush=True)
    pid = manager.server.pid
    loop = next(int(thread) for thread in os.listdir(f"/proc/{pid}/task") if open(f"/proc/{pid}/task/{thread}/comm").read() == "loop\n")
    ptrace(PTRACE_SEIZE, loop)
    ptrace(PTRACE_INTERRUPT, loop)  # This thread alone stands still; the rest of the process goes on.
    os.waitpid(loop, 0x40000000)  # __WALL
    manager.await_starvation()
    print("not fed while a loop stands still", flush=True)
    ptrace(PTRACE_DETACH, loop)
    manager.await_message("WATCHDOG", "1")
    print("fed again", flush=True)

    port, visitor = manager.port, Visitor(manager.port)
    while visitor.asked < 20:
        time.sleep(0.01)
    manager.server.send_signal(signal.SIGKILL)
    manager.server.wait()
    before = visitor.asked
    while visitor.asked < before + 20:  # Nobody serves; the kernel takes them for whoever comes.
        time.sleep(0.01)
    between = visitor.asked - before
    manager.start(f"127.0.0.1:{port}", manager.kept)
    manager.await_message("READY", "1")
    visitor.stop.set()
    visitor.join()
    fine = manager.port == port and visitor.refused == 0 and visitor.answered >= between
    print("killed and started anew: the same address, no connection refused, those of the time between answered" if fine else
          (manager.port, visitor.refused, visitor.asked, visitor.answered, between), flush=True)

    def stop() -> int:
        manager.server.terminate()
        manager.await_message("STOPPING", "1")
        return manager.server.wait(WAIT_S)

    stop()
    other = socket.create_server(("127.0.0.2", 0))
    number = other.getsockname()[1]
    other.close()
    manager.start(f"127.0.0.2:{number}", {"assay-public": manager.kept.pop("assay-public")})
    manager.await_message("FDSTOREREMOVE", "1")
    manager.await_message("FDSTORE", "1")
    manager.await_message("READY", "1")
    print("another address: a new socket, the kept one given back" if manager.port == number else manager.port, flush=True)

    stop()
    manager.kept.clear()
    unit = socket.create_server(("127.0.0.1", 0))
    manager.start("127.0.0.1:0", {"assay.socket": unit})
    manager.await_message("READY", "1")
    print("a socket unit's socket is used" if manager.port == unit.getsockname()[1] and healthy(manager.port) and not manager.kept else manager.kept, flush=True)
    print(f"STOPPING, exit {stop()}", flush=True)

    manager.start("127.0.0.1:0", {})
    manager.await_message("READY", "1")
    children = open(f"/proc/{manager.server.pid}/task/{manager.server.pid}/children").read().split()
    helper = next(int(child) for child in children if open(f"/proc/{child}/comm").read() == "assay-helper\n")
    os.kill(helper, signal.SIGKILL)
    manager.await_message("STOPPING", "1")
    print(f"without its helper it can grade nothing, and leaves its start to the manager: exit {manager.server.wait(WAIT_S)}")


main()
