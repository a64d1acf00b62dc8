"""Archives for cases that make many, no two alike."""
import io
import tarfile


def tar_of(files: dict[str, bytes], mode: str = "w") -> bytes:
    """`mode` as tarfile.open has it: "w" is plain, "w:gz" compressed."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
