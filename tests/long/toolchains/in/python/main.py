import concurrent.futures, ctypes, hashlib, json, multiprocessing, os, sqlite3, ssl, subprocess, tempfile, threading, venv  # noqa: F401


def square(n: int) -> int:
    return n * n


if __name__ == "__main__":
    with multiprocessing.Pool(4) as pool:
        squares = sum(pool.map(square, range(1000)))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        threads = len(set(pool.map(lambda _: threading.get_ident(), range(64)))) >= 1
    with tempfile.TemporaryDirectory() as folder:
        base = sqlite3.connect(f"{folder}/base")
        base.execute("pragma journal_mode=wal")
        base.execute("create table t(x)")
        base.executemany("insert into t values (?)", ((n,) for n in range(1000)))
        base.commit()
        rows = base.execute("select sum(x) from t").fetchone()[0]
    child = subprocess.run(["python3", "-c", "print(6 * 7)"], capture_output=True, text=True).stdout.strip()
    print(squares, threads, rows, child, hashlib.sha256(b"").hexdigest()[:8])
