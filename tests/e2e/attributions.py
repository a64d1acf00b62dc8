"""Every way in which one of Debian's proxies answers for itself, and the server's own refusals through each: who is named?

    attributions.py TOOL SERVER_PORT WORK [COUNT SEED]

TOOL is client_hops. Without COUNT each kind once; with it as many as that, drawn by SEED. Prints the wrong ones, then the count."""
import contextlib
import os
import random
import socket
import subprocess
import sys
import threading
from pathlib import Path

import proxies

LIMIT_BYTES = 1 << 20
OVER_BYTES = 2 << 20
OWN_OVER_BYTES = 14 << 20  # more than the server takes: it says so from the header alone
HEADER_BYTES = 24_000      # more than most proxies take, less than the server does


class Backend:
    """What a server must not be: it reads a request, and then says nothing, or closes."""

    def __init__(self, silent: bool):
        self.silent, self.held = silent, []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listening.accept()
                peer.settimeout(5)
                with contextlib.suppress(OSError):
                    peer.recv(65536)
                if self.silent:
                    self.held.append(peer)
                else:
                    peer.close()

    def close(self) -> None:
        self.listening.close()
        for peer in self.held:
            peer.close()


def kinds(name: str, ports: dict[str, int]) -> list[tuple[str, str]]:
    """Requests as TOOL takes them, each with what it must say."""
    product = proxies.PRODUCTS[name]
    body = "/api/v1/probe"
    found = [
        (f"{ports['open']} GET /api/v1/submissions/0000000000000000 0 0", "server 401"),
        (f"{ports['open']} GET /nothing/here 0 0", "server 404"),
        (f"{ports['open']} GET /api/v1/limits?token=x 0 0", "server 400"),
        (f"{ports['open']} DELETE /healthz 0 0", "server 405"),
        (f"{ports['open']} POST /api/v1/uploads 10 0", "server 400"),
        (f"{ports['open']} POST /upload {OWN_OVER_BYTES} 0", "server 413"),
        (f"{ports['open']} POST {body} {OVER_BYTES} 0", "server 200"),
        (f"{ports['tight']} POST {body} {LIMIT_BYTES // 2} 0", "server 200"),
        (f"{ports['tight']} POST {body} {OVER_BYTES} 0", f"{product}|too_large {502 if name == 'caddy' else 413}"),
        (f"{ports['dead']} GET {body} 0 0", f"{product}|no_server {502 if name in ('nginx', 'caddy') else 503}"),
        (f"{ports['dead']} POST {body} 1000 0", f"{product}|no_server {502 if name in ('nginx', 'caddy') else 503}"),
        (f"{ports['silent']} GET {body} 0 0", f"{product}|no_answer {502 if name == 'apache2' else 504}"),
        # Apache cannot tell a server that closed from one that said nothing: its page is the same.
        (f"{ports['broken']} POST {body} 10 0", f"{product}|" + ("no_answer 502" if name == "apache2" else "no_server 500" if name == "lighttpd" else "no_server 502")),
    ]
    header = f"{ports['open']} GET {body} 0 {HEADER_BYTES}"
    if name == "caddy":
        found.append((header, "server 200"))
    elif name == "haproxy":
        found.append((header, f"{product}|page 400"))  # It does not say what was wrong.
    else:
        found.append((header, f"{product}|header_too_large {431 if name == 'lighttpd' else 400}"))
    return found


def main(tool: str, server_port: str, work: str, count: str = "0", seed: str = "1") -> int:
    folder = Path(work) / "proxies"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    silent, broken = Backend(True), Backend(False)
    unused = socket.socket()  # Bound and not listening: nobody is there, and nobody else can be.
    unused.bind(("127.0.0.1", 0))
    backends = {"open": int(server_port), "tight": int(server_port), "dead": unused.getsockname()[1], "silent": silent.port, "broken": broken.port}
    wrong = asked = 0
    with contextlib.ExitStack() as running:
        every = []
        for name in proxies.NAMES:
            ports = {}
            for kind, port in backends.items():
                # The default takes no more than 1 MB only with nginx: there the server's own answer to more is seen with more.
                limit = LIMIT_BYTES if kind == "tight" else 100 << 20 if kind == "open" and name == "nginx" else None
                ports[kind] = running.enter_context(proxies.Proxy(name, folder, port, limit, 1 if kind == "silent" else None)).port
            every += kinds(name, ports)
        if int(count):
            drawn = random.Random(int(seed))
            every = [drawn.choice(every) for _ in range(int(count))]
        child = running.enter_context(subprocess.Popen([tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1))
        for request, wanted in every:
            print(request, file=child.stdin, flush=True)
            said = child.stdout.readline().strip()
            asked += 1
            if said != wanted:
                wrong += 1
                print(f"{request}: {said}, not {wanted}")
        child.stdin.close()
    silent.close()
    broken.close()
    print(f"{asked} answers, {wrong} wrong")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
