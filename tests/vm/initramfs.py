"""The first files of a virtual machine: busybox, the modules of its kernel, `init`, and what it is to do."""
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUSYBOX = "/bin/busybox"


def cpio_entry(number: int, name: str, mode: int, content: bytes = b"") -> bytes:
    """One file in the form "newc": a header of hexadecimal fields, name and content each padded to four bytes."""
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)


def initramfs(kernel: Path, order: bytes) -> bytes:
    files = [("bin/busybox", 0o100755, Path(BUSYBOX).read_bytes()), ("init", 0o100755, (HERE / "init").read_bytes()), ("order", 0o100600, order)]
    files += [(f"modules/{path.name}", 0o100644, path.read_bytes()) for path in sorted((kernel / "modules").iterdir())]
    folders = [("bin", 0o040755, b""), ("modules", 0o040755, b"")]
    entries = [cpio_entry(number, *entry) for number, entry in enumerate(folders + files, 1)]
    return b"".join(entries) + cpio_entry(0, "TRAILER!!!", 0)
