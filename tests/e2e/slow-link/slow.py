"""A slow link: slow.py TARGET_PORT BYTES_PER_S. Prints its port; passes on what clients send at that rate, whatever the number of their
connections, and answers at once. Each time a client gives its connection up it prints how much of that had passed. At its end, the sum."""
import selectors
import signal
import socket
import sys
import time

target, rate = int(sys.argv[1]), int(sys.argv[2])
PIECE = 4 << 10
WINDOW = 16 << 10  # So little waits here that what is slow is the client's way.
carried = 0
peers: dict[socket.socket, socket.socket] = {}
passed: dict[socket.socket, int] = {}
watch = selectors.DefaultSelector()


def end(*_) -> None:
    print(f"carried {carried}", flush=True)
    sys.exit(0)


def close(one: socket.socket) -> None:
    for side in (one, peers[one]):
        del peers[side]
        watch.unregister(side)
        side.close()


signal.signal(signal.SIGTERM, end)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
listener.bind(("127.0.0.1", 0))
listener.listen()
watch.register(listener, selectors.EVENT_READ)
print(listener.getsockname()[1], flush=True)
while True:
    for key, _ in watch.select():
        one = key.fileobj
        if one is listener:
            client, server = listener.accept()[0], socket.create_connection(("127.0.0.1", target))
            peers |= {client: server, server: client}
            passed[client] = 0
            for side in (client, server):
                watch.register(side, selectors.EVENT_READ)
        elif one in peers:
            try:
                piece = one.recv(PIECE)
                peers[one].sendall(piece)
            except OSError:
                if one in passed:
                    print(f"given up after {passed[one]}", flush=True)
                piece = b""
            if not piece:
                close(one)
            elif one in passed:
                carried += len(piece)
                passed[one] += len(piece)
                time.sleep(len(piece) / rate)  # The link itself.
