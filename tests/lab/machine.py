"""One machine of the lab: QEMU with a slow disk, a network that leads to this host, and a line on which it says what it sees."""
import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
import typing
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "vm"))
from initramfs import initramfs  # noqa: E402

QEMU = "/usr/bin/qemu-system-x86_64"
MEMORY_MIB, CPUS = 768, 2
# A fifth of what a usual virtual disk does, since an emulated machine computes ten to twenty times slower than a real one.
DISK_BYTES_PER_S, DISK_IOPS = 20_000_000, 600


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Machine:
    """`said` holds what it said so far. With cache=writeback its disk keeps what was written, flushed or not, when the emulator is
    killed: what a power cut takes is the machine's memory, its page cache with it."""

    def __init__(self, kernel: Path, image: Path, work: Path, order: dict) -> None:
        self.port = free_port()
        self.said: list[dict] = []
        self.offset_s = 0.0  # of this host's clock to the machine's: the least that was seen
        self.last_offset_s = 0.0  # as of what it said last: an emulated machine that is not let run loses time
        self._news = threading.Condition()
        self._ended = False
        (work / "initramfs").write_bytes(initramfs(kernel, json.dumps({
            "command": ["/usr/bin/python3", "/lab/main.py", json.dumps(order)], "directory": "/lab", "token": "lab-ended",
            "environment": {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}}).encode()))
        words = ["console=ttyS0", "panic=-1", "oops=panic", "loglevel=4", "mitigations=off", "no_timer_check", "vm.groups=v2",
                 "vm.root=/dev/vda", "vm.inside=/lab/inside"]
        disk = f"file={image},if=none,id=disk,format=raw,cache=writeback,throttling.bps-total={DISK_BYTES_PER_S},throttling.iops-total={DISK_IOPS}"
        self.console = work / "console"
        self.log = open(work / "qemu.log", "ab")
        self.process = subprocess.Popen([
            QEMU, "-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", "max", "-smp", str(CPUS), "-m", str(MEMORY_MIB), "-nodefaults",
            "-no-user-config", "-display", "none", "-no-reboot", "-kernel", str(kernel / "vmlinuz"), "-initrd", str(work / "initramfs"),
            "-append", " ".join(words), "-drive", disk, "-device", "virtio-blk-pci,drive=disk",
            "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-:8080", "-device", "virtio-net-pci,netdev=net",
            "-serial", f"file:{self.console}", "-chardev", "stdio,id=out,signal=off", "-serial", "chardev:out"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            it = None
            with contextlib.suppress(ValueError):
                it = json.loads(line)
            if not isinstance(it, dict):
                it = {"what": "text", "text": line.decode(errors="replace").rstrip()}
            with self._news:
                if "t" in it:
                    offset = time.time() - it["t"]
                    self.offset_s, self.last_offset_s = min(self.offset_s or offset, offset), offset
                self.said.append(it)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait(self, seen: typing.Callable[[dict], bool], seconds: float) -> dict:
        """Of all it said the first that fits."""
        deadline, at = time.monotonic() + seconds, 0
        with self._news:
            while True:
                for it in self.said[at:]:
                    if seen(it):
                        return it
                at = len(self.said)
                if self._ended or not self._news.wait(max(0.0, deadline - time.monotonic())):
                    if at == len(self.said):
                        raise RuntimeError("the machine " + ("ended" if self._ended else f"said nothing of it in {seconds:.0f} s") + "; its last words:\n"
                                           + "\n".join(map(str, self.said[-10:])) + "\n" + self.console.read_text(errors="replace")[-3000:])

    def all(self, what: str) -> list[dict]:
        with self._news:
            return [it for it in self.said if it["what"] == what]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.log.close()
