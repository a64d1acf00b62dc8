"""A road that breaks: road.py ADDRESS PORT TARGET_PORT LINK BYTES. Passes on what comes to ADDRESS:PORT; once BYTES of the clients' have
passed, takes the network interface LINK down, in the middle of what they send, and says `down`. `up` on standard input takes it up for good."""
import selectors
import socket
import subprocess
import sys

address, port, target, link, break_at = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
WINDOW = 16 << 10  # So little waits here that the client's bytes are on the road when it breaks.
carried, broken = 0, False
peers: dict[socket.socket, socket.socket] = {}
clients: set[socket.socket] = set()
watch = selectors.DefaultSelector()


def set_link(state: str) -> None:
    subprocess.run(["ip", "link", "set", link, state], check=True)
    print(state, flush=True)


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
listener.bind((address, port))
listener.listen()
watch.register(listener, selectors.EVENT_READ)
watch.register(sys.stdin, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in watch.select():
        one = key.fileobj
        if one is sys.stdin:
            if not sys.stdin.readline():
                sys.exit(0)
            set_link("up")
        elif one is listener:
            client, server = listener.accept()[0], socket.create_connection(("127.0.0.1", target))
            peers |= {client: server, server: client}
            clients.add(client)
            watch.register(client, selectors.EVENT_READ)
            watch.register(server, selectors.EVENT_READ)
        elif one in peers:
            try:
                piece = one.recv(WINDOW)
                if piece:
                    peers[one].sendall(piece)
            except OSError:
                piece = b""
            if not piece:
                for side in (one, peers.pop(one)):
                    peers.pop(side, None)
                    watch.unregister(side)
                    side.close()
                continue
            if one in clients:
                carried += len(piece)
                if carried >= break_at and not broken:
                    broken = True
                    set_link("down")
