"""Images as docker, podman and skopeo write them, made by hand; and ones that nobody should write.

    build.py KIND TARGET    KIND: one of the functions below
"""
import gzip
import hashlib
import io
import json
import os
import platform
import sys
import tarfile

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
BUSYBOX = open("/bin/busybox", "rb").read()


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Layer:
    def __init__(self):
        self.out = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.out, mode="w")

    def add(self, name, data=b"", kind=tarfile.REGTYPE, mode=0o644, link="", **more):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.linkname, info.mtime = kind, mode, link, 1_000_000_000
        info.size = len(data) if kind == tarfile.REGTYPE else 0
        for key, value in more.items():
            setattr(info, key, value)
        self.tar.addfile(info, io.BytesIO(data))
        return self

    def dir(self, name, mode=0o755):
        return self.add(name, kind=tarfile.DIRTYPE, mode=mode)

    def link(self, name, target):
        return self.add(name, kind=tarfile.SYMTYPE, link=target)

    def hard(self, name, target):
        return self.add(name, kind=tarfile.LNKTYPE, link=target)

    def done(self):
        self.tar.close()
        return self.out.getvalue()


def base():
    layer = Layer().dir("bin").add("bin/busybox", BUSYBOX, mode=0o4755)
    for name in ("sh", "cat", "ls", "env", "echo", "test", "readlink"):
        layer.link(f"bin/{name}", "/bin/busybox")
    layer.dir("etc").add("etc/os-release", b"NAME=handmade\n").add("etc/old", b"old\n").link("etc/resolv.conf", "/run/resolv.conf")
    layer.dir("opt/tool").add("opt/tool/hello", b"#!/bin/sh\necho hello from $TOOL\n", mode=0o755)
    layer.dir("data").add("data/one", b"1\n").add("data/two", b"2\n").dir("data/deep").add("data/deep/three", b"3\n")
    layer.dir("dev").add("dev/null", kind=tarfile.CHRTYPE, devmajor=1, devminor=3).add("run/pipe", kind=tarfile.FIFOTYPE)
    layer.dir("tmp", mode=0o1777).link("var/run", "/run")
    layer.add("bin/ping", b"\x7fELF", mode=0o755, pax_headers={"SCHILY.xattr.security.capability": "x"})
    return layer.done()


def upper():
    return (Layer().add("etc/.wh.old").dir("data").add("data/four", b"4\n").add("data/.wh..wh..opq").hard("data/same", "data/four")
            .add("etc/os-release", b"NAME=second\n").link("opt/latest", "tool").done())


def config(layers, machine=MACHINE):
    return json.dumps({"architecture": machine, "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha(x) for x in layers]},
                       "config": {"Env": ["PATH=/opt/tool:/bin", "TOOL=busybox", "HOME=/root"], "WorkingDir": "/data", "Entrypoint": ["/bin/false"],
                                  "User": "root"}}).encode()


def write_tar(target, files, mode="w"):
    with tarfile.open(target, mode) as tar:
        for name, data in files:
            info = tarfile.TarInfo(name)
            if isinstance(data, str):
                info.type, info.linkname = tarfile.SYMTYPE, data
                tar.addfile(info)
            else:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


def docker_files(layers, machine=MACHINE):
    configuration = config(layers, machine)
    names = [f"{sha(x)}/layer.tar" for x in layers]
    manifest = [{"Config": sha(configuration) + ".json", "RepoTags": ["handmade:latest"], "Layers": names}]
    return list(zip(names, layers)) + [(sha(configuration) + ".json", configuration), ("manifest.json", json.dumps(manifest).encode())]


def docker(target):
    write_tar(target, docker_files([base(), upper()]))


def docker_gz(target):
    write_tar(target, docker_files([base(), upper()]), "w:gz")


def oci_blobs(layers, machine=MACHINE, pack=gzip.compress, **wrong):
    """Index, manifests, configuration and layers by path; other machines' manifests lead nowhere."""
    blobs = {}

    def blob(data, media, **more):
        blobs["blobs/sha256/" + sha(data)] = data
        return {"mediaType": media, "digest": "sha256:" + sha(data), "size": len(data), **more}

    packed = [blob(pack(x), "application/vnd.oci.image.layer.v1.tar+gzip") for x in layers]
    manifest = {"schemaVersion": 2, "config": blob(config(layers, machine), "application/vnd.oci.image.config.v1+json"), "layers": packed}
    chosen = blob(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json", platform={"os": "linux", "architecture": machine})
    other = {**chosen, "digest": "sha256:" + "0" * 64, "platform": {"os": "linux", "architecture": "s390x"}}
    noted = {**other, "platform": {"os": "unknown", "architecture": "unknown"}}
    many = json.dumps({"schemaVersion": 2, "manifests": [other, noted, chosen]}).encode()
    top = blob(many, "application/vnd.oci.image.index.v1+json")
    blobs["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    blobs["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [top]}).encode()
    return blobs


def oci(target):
    for name, data in oci_blobs([base(), upper()]).items():
        path = os.path.join(target, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "wb").write(data)


def oci_tar(target):
    write_tar(target, list(oci_blobs([base(), upper()]).items()))


def twisted(target, *layers):
    write_tar(target, docker_files(list(layers)))


# What nobody should write.

def climbs(target):
    twisted(target, Layer().add("../../escaped", b"x").done())


def through_link(target):
    twisted(target, Layer().link("out", "/tmp").add("out/escaped", b"x").done())


def through_lower_link(target):
    twisted(target, Layer().link("out", "/tmp").done(), Layer().add("out/escaped", b"x").done())


def whiteout_through_link(target):
    twisted(target, Layer().link("out", "/etc").done(), Layer().add("out/.wh.passwd").done())


def whiteout_up(target):
    twisted(target, Layer().add("etc/.wh...").done())


def hard_outside(target):
    twisted(target, Layer().hard("shadow", "../../../etc/shadow").done())


def hard_through_link(target):
    twisted(target, Layer().link("out", "/etc").hard("shadow", "out/shadow").done())


def wrong_layer(target):
    files = docker_files([base()])
    write_tar(target, [(name, data + b"\0" * 512 if name.endswith("layer.tar") else data) for name, data in files])


def wrong_config(target):
    files = docker_files([base()])
    write_tar(target, [(name, data.replace(b"TOOL", b"LOOT") if b"TOOL" in data and name.endswith(".json") else data) for name, data in files])


def wrong_blob(target):
    blobs = oci_blobs([base()])
    name = max((n for n in blobs if n.startswith("blobs")), key=lambda n: len(blobs[n]))
    blobs[name] = blobs[name][:-1] + b"!"
    write_tar(target, list(blobs.items()))


def missing_layer(target):
    write_tar(target, docker_files([base()])[1:])


def other_machine(target):
    write_tar(target, docker_files([base()], "s390x"))


def twice(target):
    files = docker_files([base()])
    write_tar(target, files + [files[-1]])


def deep_json(target):
    write_tar(target, [("manifest.json", b"[" * 100_000)])


def wide_json(target):
    write_tar(target, [("manifest.json", b"[" + b"0," * 1_500_000 + b"0]")])


def large_json(target):
    write_tar(target, [("manifest.json", b"[" + b" " * (5 << 20) + b"]")])


def cut(target):
    docker(target)
    os.truncate(target, os.path.getsize(target) // 2)


def deep(target):
    twisted(target, Layer().add("/".join(["d"] * 101), b"x").done())


def wide_top(target):
    layer = Layer()
    for number in range(129):
        layer.dir(f"d{number}")
    twisted(target, layer.done())


def no_image(target):
    open(target, "wb").write(b"PK\x03\x04" + b"\0" * 600)


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
