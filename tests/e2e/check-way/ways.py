"""Looks along every way at once: each look takes a pause of some seconds."""
import concurrent.futures
import json
import subprocess
import sys
from pathlib import Path

import proxies

assay, url, work = sys.argv[1], sys.argv[2], Path(sys.argv[3])
folder = work / "proxies"
folder.mkdir()
folder.chmod(0o777)


def look(name: str, limit: int | None) -> str:
    with proxies.Proxy(name, folder, int(url.rpartition(":")[2]), limit) as proxy:
        return told(f"{name}, {'as it is' if limit is None else f'{limit} bytes'}", proxy.url)


def told(title: str, address: str) -> str:
    done = subprocess.run([assay, "check", address, "--json"], capture_output=True, text=True)
    found = json.loads(done.stdout)
    lines = [f"== {title}: exit {done.returncode}, in front: {found['in_front'] or 'nothing'}, {found['passed_bytes']} pass, {found['refused_bytes'] or 'nothing'} refused"]
    for one in found["findings"]:
        if one["verdict"] != "ok":
            lines.append(f"{one['verdict']} {one['name']}: {one['cure']}")
    return "\n".join(lines)


ways = [(name, None) for name in proxies.NAMES] + [("caddy", 2 << 20), ("haproxy", 3 << 20), ("apache2", 2 << 20), ("lighttpd", 4 << 20)]
with concurrent.futures.ThreadPoolExecutor(len(ways) + 1) as pool:
    straight = pool.submit(told, "straight", url)
    for text in [*pool.map(lambda way: look(*way), ways), straight.result()]:
        print(text)
