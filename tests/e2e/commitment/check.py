"""DOCUMENT ARCHIVE URL: that the document is a commitment to the archive, signed by a published key that signs nothing else."""
import base64
import datetime
import hashlib
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

document, archive, url = sys.argv[1:]
it = json.loads(Path(document).read_text())
print(it["type"], it["course"], it["module"], it["participant"], it["server"] == url)
data = Path(archive).read_bytes()
print("digest and size", it["sha256"] == hashlib.sha256(data).hexdigest() and it["size"] == len(data))
since, until = (datetime.datetime.fromisoformat(it[name]) for name in ("committed_at", "bytes_until"))
print("bytes may come for", until - since, "offset", since.utcoffset())


def keys(route: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{url}/api/v1/{route}", timeout=30) as answer:
        return {key["key_id"]: key["public_key"] for key in json.load(answer)["keys"]}


def signed(content: dict[str, object], key: str) -> bool:
    text = json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    Path("signed").write_bytes(text.encode())
    Path("signature").write_bytes(base64.b64decode(it["signature"]))
    der = bytes.fromhex("302a300506032b6570032100") + base64.b64decode(key)
    Path("key.pem").write_text("-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der).decode() + "\n-----END PUBLIC KEY-----\n")
    run = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "signed", "-sigfile", "signature"],
                         capture_output=True, check=False)
    return run.returncode == 0


key = keys("commitment-keys")[it["key_id"]]
rest = {name: value for name, value in it.items() if name != "signature"}
print("signature", signed(rest, key), "of another content", signed(rest | {"size": 1}, key))
print("a key of receipts too", it["key_id"] in keys("receipt-keys"))
