import base64
import hashlib
import io
import json
import os
import random
import sys
import tarfile
import urllib.request
from pathlib import Path

from browser import Browser

CLIENT = Path(sys.argv[1]).read_text()
URL, TOKEN = sys.argv[2:]
SIZE = 3_000_000


def archive() -> bytes:
    """Bytes that do not pack, the same each time."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in (("hello.py", b"print('hello')\n"), ("noise", random.Random(1).randbytes(SIZE))):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


BYTES = archive()
# A page has no files but those it is given: the archive comes to it as text.
UPLOAD = """
    window.began = (leave_at) => new Promise((done, failed) => {
        const bytes = Uint8Array.from(atob(window.archive), c => c.charCodeAt(0));
        const file = new File([bytes], "work.tar", {lastModified: 1});
        let last = 0;
        const upload = new tus.Upload(file, {
            endpoint: "/api/v1/uploads", chunkSize: 512 * 1024, retryDelays: [0, 500], headers: {Authorization: "Bearer TOKEN"},
            metadata: {course: "ICS2024", module: "hello", filename: file.name},
            onError: failed,
            onChunkComplete: (size, sent) => {
                last = sent;
                if (leave_at && sent >= leave_at) upload.abort().then(() => done({left_at: sent}));
            },
            onSuccess: (it) => done({submission: it.lastResponse.getHeader("Assay-Submission"), sent: last, resumed: upload.resumed_at}),
        });
        upload.findPreviousUploads().then(before => {
            upload.resumed_at = before.length;
            if (before.length) upload.resumeFromPreviousUpload(before[0]);
            upload.start();
        });
    }); 1""".replace("TOKEN", TOKEN)

with Browser(Path(os.environ["WORK"])) as browser:
    for leave_at in (1_000_000, 0):
        tab = browser.tab()
        tab.go(URL + "/")
        tab.value(CLIENT + "; 1")
        tab.value(f"window.archive = '{base64.b64encode(BYTES).decode()}'; 1")
        tab.value(UPLOAD)
        said = json.loads(str(tab.value(f"window.began({leave_at}).then(JSON.stringify, error => JSON.stringify({{error: String(error)}}))")))
        submission = said.pop("submission", None)
        print(said)
    request = urllib.request.Request(f"{URL}/api/v1/submissions/{submission}/receipt", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        receipt = json.load(answer)
    print("a receipt of these bytes" if receipt["sha256"] == hashlib.sha256(BYTES).hexdigest() else f"of others: {receipt}")
