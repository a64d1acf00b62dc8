"""The participant's page: 1,000 keys in turn, one change a second, kept connections."""
import contextlib
import json
import threading
import urllib.request
from pathlib import Path

from measure import Broken, Goals, Scratch, Table, run, say
from sender import hand_in_small, many
from servers import PEOPLE, Assay, Flask, Least, Nginx, Server

CONNECTIONS = 16
ROUND_S = 4
HERE = Path(__file__).resolve().parent


def fetch(server: Server, i: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{server.path(i)}", timeout=30) as answer:
        return answer.read()


@contextlib.contextmanager
def changing(change: "callable"):
    """Calls change(n) once a second meanwhile."""
    over, failures = threading.Event(), []

    def work() -> None:
        n = 0
        while not over.wait(1):
            try:
                change(n)
            except (OSError, RuntimeError) as error:
                failures.append(str(error))
            n += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failures:
        raise Broken(f"a change failed: {failures[0]}")


def measure(server: Server, paths: Path, threads: int) -> dict[str, float]:
    before = server.cpu_s()
    told = run(["wrk", "-t", threads, "-c", CONNECTIONS, "-d", f"{ROUND_S}s", "-s", HERE / "pages.lua",
                f"http://127.0.0.1:{server.port}", "--", paths])
    figures = json.loads(told.strip().splitlines()[-1])
    if figures["errors"] or not figures["requests"]:
        raise Broken(f"{server.name}: {figures['errors']} of {figures['requests']} requests failed")
    return {"requests/s": figures["requests"] / figures["s"], "CPU us/page": (server.cpu_s() - before) * 1e6 / figures["requests"],
            "p50 ms": figures["p50_ms"], "p99 ms": figures["p99_ms"]}


def bench(binary: Path, rounds: int, goals: Goals) -> None:
    with Scratch() as scratch:
        assay, flask, nginx = Assay(scratch, binary), Flask(scratch), Nginx(scratch)
        for server in (assay, flask):  # Everyone has handed in something, and has a verdict.
            _, failed = many(PEOPLE, 8, lambda i, port=server.port: hand_in_small(port, i, f"first of {i}\n"))
            if wrong := [one for one in failed if one is not None]:
                raise Broken(f"{server.name}: {len(wrong)} first hand-ins failed: {wrong[0]}")
        if not assay.grade(PEOPLE):
            say("  not root: nothing can be graded, so every page shows a submission that waits and is rendered anew every few seconds")
        flask.grade()
        page = fetch(assay, 0)
        for i in range(PEOPLE):
            nginx.write_page(i, page)
        least = Least.answering(scratch, page)
        say(f"  bytes of a page: assay and nginx {len(page)}, Flask {len(fetch(flask, 0))}")
        paths = {}
        for server in (assay, flask, nginx, least):
            paths[server] = scratch.path / f"paths-{server.port}"
            paths[server].write_text("".join(server.path(i) + "\n" for i in range(PEOPLE)))
        serial = 0

        def change(server: Server, n: int) -> None:
            nonlocal serial
            serial += 1
            person = serial * 7 % PEOPLE
            if server is least:
                return  # Its page never changes.
            if server is nginx:
                nginx.write_page(person, page.replace(b"</html>", b"<!-- %d --></html>" % serial))
            else:
                hand_in_small(server.port, person, f"change {serial}\n")

        table = Table()
        for _ in range(rounds):
            for server in (flask, nginx, assay, least):
                with changing(lambda n, server=server: change(server, n)):
                    table.add(server.name, **measure(server, paths[server], 2))
        table.show()
        rate, cost = "requests/s", "CPU us/page"
        goals.at_least("page: requests/s at least 50 times Flask's", table.median("assay", rate), 50, table.median(flask.name, rate))
        goals.at_least("page: requests/s at least 0.9 times nginx's", table.median("assay", rate), 0.9, table.median("nginx", rate))
        goals.at_most("page: CPU per page at most nginx's", table.median("assay", cost), 1, table.median("nginx", cost))
