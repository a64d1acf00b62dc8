"""A file system whose answers take their time: `slow_fs.py FOLDER`, as root; speaks the kernel's own protocol (fuse(4), linux/fuse.h).

Names that begin with "data" can be read, each read after 25 ms; "name…" is not there, said after 20 ms; "hang-name" never gets an
answer; reads of "hang-data" never do either.
"""
import ctypes
import os
import struct
import sys
import threading
import time

LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT, OPENDIR, RELEASEDIR, ACCESS, BATCH_FORGET = 1, 2, 3, 14, 15, 18, 25, 26, 27, 29, 34, 42
ENOENT, ENOSYS = 2, 38
DIRECT_IO = 1
ROOT = 1

folder = sys.argv[1]
device = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={device},rootmode=40755,user_id=0,group_id=0,allow_other".encode()
if libc.mount(b"slow", folder.encode(), b"fuse.slow", 0, options) != 0:
    sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
print("mounted", flush=True)

nodes = {ROOT: ""}


def answer(unique, body=b"", error=0):
    try:
        os.write(device, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)
    except OSError:
        pass  # Whoever asked was interrupted.


def attributes(node):
    is_folder = node == ROOT
    return struct.pack("<QQQQQQIIIIIIIIII", node, 0 if is_folder else 1 << 20, 0, 0, 0, 0, 0, 0, 0, 0o40755 if is_folder else 0o100644, 1, 0, 0, 0, 4096, 0)


def lookup(unique, name):
    if name.startswith("name"):
        time.sleep(0.02)
        return answer(unique, error=ENOENT)
    if name == "hang-name":
        return None
    if not name.startswith(("data", "hang-data")):
        return answer(unique, error=ENOENT)
    node = 2 + (hash(name) & 0xFFFF)
    nodes[node] = name
    return answer(unique, struct.pack("<QQQQII", node, 0, 0, 0, 0, 0) + attributes(node))


def read(unique, node, size):
    if nodes.get(node) == "hang-data":
        return None
    time.sleep(0.025)
    return answer(unique, b"x" * size)


while True:
    try:
        request = os.read(device, 1 << 18)
    except OSError:
        break  # Unmounted.
    _, operation, unique, node = struct.unpack_from("<IIQQ", request)
    body = request[40:]
    if operation == INIT:
        answer(unique, struct.pack("<IIIIHHIIHH", 7, 31, 65536, 0, 16, 12, 65536, 1, 0, 0) + bytes(28))
    elif operation == LOOKUP:
        threading.Thread(target=lookup, args=(unique, body.split(b"\0")[0].decode()), daemon=True).start()
    elif operation == GETATTR:
        answer(unique, struct.pack("<QII", 1, 0, 0) + attributes(node))
    elif operation in (OPEN, OPENDIR):
        answer(unique, struct.pack("<QII", 0, DIRECT_IO if operation == OPEN else 0, 0))
    elif operation == READ:
        threading.Thread(target=read, args=(unique, node, struct.unpack_from("<QQI", body)[2]), daemon=True).start()
    elif operation in (RELEASE, RELEASEDIR, FLUSH, ACCESS):
        answer(unique)
    elif operation not in (FORGET, BATCH_FORGET):
        answer(unique, error=ENOSYS)
