"""What /proc and /sys tell about the machine and let one change."""
import os
from hostile import begin, check, held
begin()
for path in ("kallsyms", "kcore", "config.gz", "sysrq-trigger", "sys", "sys/kernel/core_pattern", "kmsg", "keys", "key-users", "interrupts", "timer_list", "sched_debug",
             "modules", "cmdline", "mounts", "net", "bus", "irq", "fs", "acpi", "scsi", "partitions", "diskstats", "iomem", "ioports", "slabinfo", "vmallocinfo", "kpagecount",
             "1", "2/../1"):
    if path == "mounts" or path == "net":
        continue  # Links into /proc/self: its own.
    try:
        os.listdir(f"/proc/{path}") if os.path.isdir(f"/proc/{path}") else open(f"/proc/{path}").read(1)
        check(f"/proc/{path} is read", False)
    except OSError:
        check(path, True)
check("only its own processes", {name for name in os.listdir("/proc") if name.isdigit()} == {str(os.getpid())})
check("no /sys", not os.path.exists("/sys"))
check("nothing of the host in the environment", sorted(os.environ) == ["HOME", "LANG", "LC_CTYPE", "PATH", "TZ", "USER"] or sorted(os.environ) == ["HOME", "LANG", "PATH", "TZ", "USER"])
check("host name", os.uname().nodename == "assay")
held()
