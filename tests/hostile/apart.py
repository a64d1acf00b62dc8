"""A place apart, so that what a case leaves can be told from what others on the machine do: namespaces of processes, mounts and IPC,
an empty /tmp and /dev/shm, and on cgroup version 1 a group of its own. Needs root and Linux alone, so that it works in a bare virtual
machine as well."""
import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID = 0x20000, 0x8000000, 0x20000000
MS_REC, MS_PRIVATE, MS_SHARED, MS_NOSUID, MS_NODEV = 0x4000, 1 << 18, 1 << 20, 2, 4
UIDS = range(0x70000000, 0x80000000)  # of every sandbox of the project
SETTLE_S = 10.0  # The kernel clears away keys and namespaces a moment after the last process.
LIBC = ctypes.CDLL(None, use_errno=True)


def must(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(kind: str, where: str, flags: int, options: str = "") -> None:
    must(LIBC.mount(kind.encode(), where.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode() or None), f"mount {where}")


def group_trees(without: frozenset[str]) -> list[str]:
    """The folder of this process in each tree of groups, but for those of version 1 that serve one of `without`; on a host with version 2
    alone, the whole tree."""
    own = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, served, path = line.split(":", 2)
        own[frozenset(filter(None, served.split(",")))] = path
    found, versions = [], set()
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        root, where = left.split()[3:5]
        kind, _, options = right.split()[:3]
        if kind not in ("cgroup", "cgroup2"):
            continue
        versions.add(kind)
        path = next((path for served, path in own.items() if served and (served <= set(options.split(",")) or any(
            name.startswith("name=") and name in options for name in served))), None) if kind == "cgroup" else own.get(frozenset())
        if path is not None and not (kind == "cgroup" and without & set(options.split(","))):
            path = path.removeprefix(root) if root != "/" else path
            found.append(where + ("" if path == "/" else path))
    if versions == {"cgroup2"}:
        return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines() if " - cgroup2 " in line][:1]
    return found


class Group:
    """On version 1 every group that a run makes lies below its starter's, so below this one. A process of version 2 may not have
    groups with controllers below its own, so there the whole tree is looked at: such a host must be quiet."""

    def __init__(self, without: frozenset[str]) -> None:
        trees = group_trees(without)
        self.own = [] if len(trees) == 1 else [f"{tree}/hostile-{os.getpid()}" for tree in trees]
        self.trees = self.own or trees
        for folder in self.own:
            os.mkdir(folder)

    def enter(self) -> None:
        for folder in self.own:
            with contextlib.suppress(OSError):  # cpuset has no processors of its own at first.
                for name in ("cpuset.cpus", "cpuset.mems"):
                    if os.path.exists(f"{folder}/{name}"):
                        Path(f"{folder}/{name}").write_text(Path(f"{folder}/../{name}").read_text())
            Path(f"{folder}/cgroup.procs").write_text("0")

    def remove(self) -> None:
        deadline = time.monotonic() + SETTLE_S
        for folder in self.own:
            for below, _, _ in os.walk(folder, topdown=False):
                while True:
                    try:
                        os.rmdir(below)
                        break
                    except OSError:
                        if time.monotonic() > deadline:
                            break
                        time.sleep(0.01)

    def groups(self) -> set[str]:
        return {os.path.join(folder, name) for tree in self.trees for folder, names, _ in os.walk(tree) for name in names
                if "/assay-" in os.path.join(folder, name)}


def separate(hidden: set[str], work, without: frozenset[str] = frozenset()) -> int:
    """Runs work(group) as the first process of such a place and gives its exit code. `hidden`: paths that must stay visible. `without`:
    controllers of version 1 whose groups lie where they would by themselves."""
    group = Group(without)
    must(LIBC.unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID), "unshare")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            LIBC.prctl(1, signal.SIGKILL, 0, 0, 0)
            group.enter()
            must(LIBC.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None), "mount private")
            mount("proc", "/proc", MS_NOSUID | MS_NODEV)
            for folder in ("/tmp", "/dev/shm"):
                if not any(path.startswith(folder + "/") for path in hidden):
                    mount("tmpfs", folder, MS_NOSUID | MS_NODEV, "mode=1777")
            # Shared with nobody yet, but a mount that a helper lets out would show.
            must(LIBC.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_SHARED), None), "mount shared")
            code = work(group)
        except BaseException as error:  # noqa: BLE001: the only way back is an exit code.
            if not isinstance(error, SystemExit):
                import traceback
                traceback.print_exc()
            elif error.code is not None:
                print(error.code, file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.kill(child, signal.SIGKILL))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    group.remove()
    return code


def processes() -> dict[int, str]:
    """Living processes of this place with their start times."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            if fields[0] not in "ZX":
                found[int(name)] = fields[19]
    return found


def key_owners() -> set[int]:
    """Uids of sandboxes, anybody's, that hold a key or a keyring."""
    return {uid for line in Path("/proc/key-users").read_text().splitlines() if (uid := int(line.split(":")[0])) in UIDS}


def files(folders: list[str]) -> set[str]:
    return {os.path.join(below, name) for folder in folders for below, names, plain in os.walk(folder) for name in [*names, *plain]}


class Look:
    """What is there now: to be compared with a later look."""

    def __init__(self, group: Group, folders: list[str], helper: int | None):
        self.group, self.folders, self.helper = group, folders, helper
        self.parts = self.take()

    def take(self) -> dict[str, set]:
        parts = {
            "process": {f"{pid} {Path(f'/proc/{pid}/comm').read_text().strip()}" for pid in processes() if os.path.exists(f"/proc/{pid}/comm")},
            "mount": set(Path("/proc/self/mountinfo").read_text().splitlines()),
            "group": self.group.groups(),
            "file": files(self.folders),
            "ipc": {line.strip() for kind in ("shm", "sem", "msg") for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]},
        }
        # Counted lines change while a lookout's objects are looked at; what names an object are its key and id.
        parts["ipc"] = {" ".join(line.split()[:2]) for line in parts["ipc"]}
        if self.helper is not None:
            parts["descriptor of the helper"] = {f"number {n}" for n in range(len(os.listdir(f"/proc/{self.helper}/fd")))}
        return parts

    def left(self, uid: int | None, settle_s: float = SETTLE_S) -> list[str]:
        """What is there now and was not then, and keys of `uid` and of its init, as soon as there is nothing or time is up."""
        deadline = time.monotonic() + settle_s
        while True:
            now = self.take()
            found = [f"{kind} {what}" for kind in now for what in sorted(now[kind] - self.parts[kind])]
            if uid:
                found += [f"keys of uid {owner}" for owner in sorted(key_owners()) if uid <= owner <= uid + 65]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.005)


def reap(known: set[int]) -> None:
    """What a case left to this place's first process; the `known` children are waited for elsewhere."""
    with contextlib.suppress(ChildProcessError):
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found.si_pid in known:
                return
            os.waitpid(found.si_pid, os.WNOHANG)
