"""A link that breaks: link.py TARGET_PORT CUT STALL. Prints its port. A connection is reset once it has carried CUT bytes of the client's
(0: never); once all together have carried STALL (0: never), it says `stalled` and passes nothing on any more. At its end it prints the sum."""
import selectors
import signal
import socket
import struct
import sys

target, cut, stall = map(int, sys.argv[1:])
carried = 0
stalled = False
peers: dict[socket.socket, socket.socket] = {}
of_client: dict[socket.socket, int] = {}
watch = selectors.DefaultSelector()
stuck: list[socket.socket] = []


def end(*_: object) -> None:
    print(f"carried {carried}", flush=True)
    sys.exit(0)


def close(one: socket.socket, reset: bool = False) -> None:
    for side in (one, peers.pop(one, None)):
        if side is None or side.fileno() < 0:
            continue
        peers.pop(side, None)
        of_client.pop(side, None)
        watch.unregister(side)
        if reset:
            side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        side.close()


signal.signal(signal.SIGTERM, end)
listener = socket.create_server(("127.0.0.1", 0))
watch.register(listener, selectors.EVENT_READ)
print(listener.getsockname()[1], flush=True)
while True:
    for key, _ in watch.select():
        if key.fileobj is listener:
            client = listener.accept()[0]
            server = socket.create_connection(("127.0.0.1", target))
            peers |= {client: server, server: client}
            of_client[client] = 0
            for side in (client, server):
                watch.register(side, selectors.EVENT_READ)
            continue
        one = key.fileobj
        if one not in peers:
            continue
        if stalled:
            watch.unregister(one)  # Silence: neither taken nor refused.
            stuck.append(one)
            continue
        try:
            piece = one.recv(65536)
            if not piece:
                close(one)
                continue
            peers[one].sendall(piece)
        except OSError:
            close(one)
            continue
        if one in of_client:
            carried += len(piece)
            of_client[one] += len(piece)
            if cut and of_client[one] >= cut:
                close(one, reset=True)
            elif stall and carried >= stall:
                stalled = True
                print("stalled", flush=True)
