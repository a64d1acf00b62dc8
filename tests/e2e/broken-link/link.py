"""A link that breaks: link.py TARGET_PORT CUT STALL. Prints its port. A connection is reset once it has carried CUT bytes of the client's
(0: never); once all together have carried STALL (0: never), it says `stalled` and passes nothing on any more. At its end it prints the sum.
On SIGUSR1 it is gone, with all its connections, and says `gone`; on SIGUSR2 it is there again, whole, and says `back`."""
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


def end() -> None:
    print(f"carried {carried}", flush=True)
    sys.exit(0)


def close(one: socket.socket, reset: bool = False) -> None:
    for side in (one, peers.pop(one, None)):
        if side is None or side.fileno() < 0:
            continue
        peers.pop(side, None)
        of_client.pop(side, None)
        if side in stuck:
            stuck.remove(side)
        else:
            watch.unregister(side)
        if reset:
            side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        side.close()


def listen(port: int) -> int:
    global listener
    listener = socket.create_server(("127.0.0.1", port))
    watch.register(listener, selectors.EVENT_READ)
    return listener.getsockname()[1]


def go() -> None:
    watch.unregister(listener)
    listener.close()
    for one in list(peers):
        close(one, reset=True)
    print("gone", flush=True)


def come_back() -> None:
    global stalled, stall
    stalled, stall = False, 0
    listen(port)
    print("back", flush=True)


# What a signal asks for is done between two looks at the sockets.
awake, wake = socket.socketpair()
awake.setblocking(False)
wake.setblocking(False)
signal.set_wakeup_fd(wake.fileno())
for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, lambda *_: None)
watch.register(awake, selectors.EVENT_READ)
port = listen(0)
print(port, flush=True)
doing = {signal.SIGTERM: end, signal.SIGUSR1: go, signal.SIGUSR2: come_back}
while True:
    for key, _ in watch.select():
        if key.fileobj is awake:
            for number in awake.recv(16):
                doing[number]()
            break  # What else was ready may be closed by now.
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
