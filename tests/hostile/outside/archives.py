"""Archives that lead elsewhere, meet, link or swell: each is refused, at once and with its reason."""
import io, json, os, resource, struct, subprocess, tarfile, time, zipfile, zlib
assay, place = os.environ["ASSAY"], os.environ["PLACE"]
patience = int(os.environ.get("ASSAY_TEST_PATIENCE", "1"))  # How many times slower than usual the machine is.


def tar(*entries):
    bytes_ = io.BytesIO()
    with tarfile.open(fileobj=bytes_, mode="w:gz") as archive:
        for name, kind, link in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.size = kind, link, 1 if kind == tarfile.REGTYPE else 0
            archive.addfile(entry, io.BytesIO(b"x"))
    return bytes_.getvalue()


def zipped(*names, content=b"x"):
    bytes_ = io.BytesIO()
    with zipfile.ZipFile(bytes_, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), content)
    return bytes_.getvalue()


def tar_bomb():
    head = tarfile.TarInfo("zeros")
    head.size = 8 << 30
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(head.tobuf())]
    block = bytes(16 << 20)
    parts += [packer.compress(block) for _ in range(10)]
    return b"".join(parts) + packer.flush()


regular, link, hard, device = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
cases = {
    "tar-upward": (tar(("../x", regular, "")), {"unsafe"}), "tar-absolute": (tar(("/etc/x", regular, "")), {"unsafe"}),
    "tar-link-outside": (tar(("l", link, "/etc/passwd")), {"unsafe"}), "tar-through-link": (tar(("l", link, "/tmp"), ("l/x", regular, "")), {"unsafe"}),
    "tar-hard-link-outside": (tar(("h", hard, "../../etc/passwd")), {"unsafe", "damaged", "format"}), "tar-device": (tar(("d", device, "")), {"format", "unsafe"}),
    "tar-twice": (tar(("a", regular, ""), ("a", regular, "")), {"unsafe"}), "tar-case": (tar(("A", regular, ""), ("a", regular, "")), {"unsafe"}),
    "zip-upward": (zipped("../x"), {"unsafe"}), "zip-twice": (zipped("a", "a"), {"unsafe", "format", "damaged"}),
    "zip-bomb": (zipped("zeros", content=bytes(160 << 20)), {"unpacks_too_large"}), "tar-bomb": (tar_bomb(), {"unpacks_too_large"}),
    "tar-many": (tar(*((f"f{i}", regular, "") for i in range(30_000))), {"too_many_entries"}),
}
for name, (content, codes) in cases.items():
    path = f"{place}/{name}"
    open(path, "wb").write(content)
    begun = time.monotonic()
    done = subprocess.run([assay, "verify", "--json", path], capture_output=True, text=True, timeout=60 * patience)
    told = json.loads(done.stdout) if done.stdout else {}
    # The CPU time that judging may take does not grow with the machine's slowness: there it may be what ends it.
    out_of_time = patience > 1 and told.get("fault") == "reading_time"
    assert done.returncode == 1 and (told.get("code") in codes or out_of_time), (name, done.returncode, done.stdout, done.stderr)
    assert time.monotonic() - begun < 20 * patience, name
    os.unlink(path)
print("held", len(cases))
