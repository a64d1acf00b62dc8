"""Real troubles beside a real server, each for some seconds, by means that harm nobody else: small files, groups with limits of their own, signals to
the server's own processes."""
import contextlib
import csv
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

V1 = pathlib.Path("/sys/fs/cgroup")
SAMPLES, COURSE = pathlib.Path(__file__).resolve().parents[2] / "examples/ics", "ICS2024"
START_S, STOP_S = 30, 15
CALM_S = 8       # recorded before a trouble: what is usual
TROUBLE_S = 8
OTHERS_MIN = 0.3  # share of the time that something waits for a processor
QUIET_WAITED_S_MAX = 60
AFTER_S = 2      # until its last frame is written


class Lacking(Exception):
    """This host cannot stage it."""


def stalls(what):
    """Seconds that some, or all, waited for it since the machine started."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/pressure/{what}").read_text()
        return {line.split()[0]: int(line.rsplit("total=", 1)[1]) / 1e6 for line in text.splitlines()}
    return {}


def listen_overflows():
    names, numbers = [line.split() for line in pathlib.Path("/proc/net/netstat").read_text().splitlines() if line.startswith("TcpExt:")]
    return int(numbers[names.index("ListenOverflows")])


class Place:
    """A server in a folder of its own, groups, and the time of the trouble. All of it ends with `stack`."""

    def __init__(self, binary, scratch, stack):
        self.binary, self.scratch, self.stack = binary, scratch, stack
        self.data, self.middle, self.beside, self.needs_quiet = scratch / "data", 0.0, [], False
        self.takes_processors = False  # the trouble itself

    def serve(self):
        log = open(self.scratch / "log", "wb")
        self.server = subprocess.Popen([self.binary, "serve", "--data", self.data, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=log,
                                       cwd=self.scratch, env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}, start_new_session=True)
        self.stack.callback(self.stop)
        line = self.server.stdout.readline().decode()
        self.port = int(re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)\n", line)[1])
        return self

    def course(self, participants):
        """The sample course with so many; returns their tokens."""
        roster = self.scratch / "roster.csv"
        roster.write_text("id,name\n" + "".join(f"p{i},P\n" for i in range(participants)))
        for command in (("course", "apply", SAMPLES), ("roster", "import", COURSE, roster)):
            subprocess.run([self.binary, *command, "--data", self.data], check=True, capture_output=True)
        listed = subprocess.run([self.binary, "roster", "export", COURSE, "--data", self.data], check=True, capture_output=True, text=True).stdout
        return [row["token"] for row in csv.DictReader(listed.splitlines())]

    def stop(self):
        for one in (self.server.pid, *self.children()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGCONT)
        self.server.terminate()
        try:
            self.server.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()

    def children(self, name=""):
        """Of the server, and theirs, by what they call themselves."""
        found, parents = [], {}
        for entry in os.listdir("/proc"):
            with contextlib.suppress(OSError, IndexError):
                if entry.isdigit():
                    parents[int(entry)] = int(pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[1])
        for pid in parents:
            above = pid
            while above in parents and above != self.server.pid:
                above = parents[above]
            if pid != self.server.pid and above == self.server.pid:
                with contextlib.suppress(OSError):
                    if pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().startswith(f"assay {name}"):
                        found.append(pid)
        return found

    def child(self, name):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if found := self.children(name):
                return found[0]
            time.sleep(0.05)
        raise Lacking(f"the server's {name}")

    def calm(self):
        """Waits until what is usual is recorded, and sees what the rest of the machine does meanwhile."""
        with self.seen_beside():
            time.sleep(CALM_S)
        self.middle = time.time()
        self.calm_until = time.monotonic(), stalls("cpu").get("some", 0)

    @contextlib.contextmanager
    def seen_beside(self):
        before, began = {what: stalls(what) for what in ("cpu", "io", "memory")}, time.monotonic()
        overflows = listen_overflows()
        yield
        share = lambda what, kind: (stalls(what).get(kind, 0) - before[what].get(kind, 0)) / (time.monotonic() - began)
        if share("cpu", "some") > OTHERS_MIN:
            self.beside += ["cpu_starved", "core_pinned"]
        if share("io", "full") > 0.1:
            self.beside += ["disk_writer", "disk_reader", "disk_slow", "fsync_convoy", "commit_stalled"]
        if share("memory", "full") > 0.02:
            self.beside += ["cache_refill", "memory_thrash"]
        if listen_overflows() > overflows:
            self.beside += ["accept_queue_full"]  # the kernel counts them for all who listen together

    def quiet_processors(self, why):
        """At most a minute is waited for them."""
        self.needs_quiet = True
        until = time.monotonic() + QUIET_WAITED_S_MAX
        while "cpu_starved" in self.beside and time.monotonic() < until:
            self.beside = []
            self.calm()
        if "cpu_starved" in self.beside:
            raise Lacking(f"processors that others leave alone: {why}")

    def disturbed(self):
        return self.needs_quiet and "cpu_starved" in self.beside

    def trouble(self, seconds=TROUBLE_S):
        """It goes on for so long, then a little until it is recorded."""
        self.middle = time.time() + seconds / 2
        time.sleep(seconds)

    def trouble_beside_readers(self, pause_s, readers=1):
        """The same, with a server that has something to do: one that wants no processor cannot miss it."""
        self.middle = time.time() + TROUBLE_S / 2
        until = time.monotonic() + TROUBLE_S

        def read():
            while time.monotonic() < until:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2) as one:
                    while time.monotonic() < until:
                        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                        if not one.recv(1 << 16):
                            break
                        time.sleep(pause_s)

        threads = [threading.Thread(target=read) for _ in range(readers)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    def recorded(self):
        """Until it is written. Whoever takes the processors after it may have begun before it was over; where it takes none itself, what is
        seen of them since the calm is all of others."""
        with self.seen_beside():
            time.sleep(AFTER_S)
        if self.takes_processors:
            return
        at, waited_s = self.calm_until
        if stalls("cpu").get("some", 0) - waited_s > OTHERS_MIN * (time.monotonic() - at):
            self.beside += ["cpu_starved", "core_pinned"]

    def group(self, *controllers):
        """In each tree that has one of them; yields its name and how to join it."""
        name = f"assay-machine-{os.getpid()}"
        places = [V1 / it for it in controllers if (V1 / it).is_dir()] if (V1 / "memory").is_dir() else [V1]
        if not places or not os.access(places[0], os.W_OK):
            raise Lacking(f"control groups of {', '.join(controllers)}")
        if places == [V1]:
            (V1 / "cgroup.subtree_control").write_text(" ".join(f"+{it}" for it in ("cpu", "memory", "io", "pids")))
        made = [place / name for place in places]
        for one in made:
            one.mkdir()
            self.stack.callback(self.remove, one)
        return name, made

    @staticmethod
    def remove(group):
        for _ in range(100):
            for pid in (group / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            with contextlib.suppress(OSError):
                group.rmdir()
                return
            time.sleep(0.1)

    def run_in(self, made, *command):
        def join():
            for group in made:
                (group / "cgroup.procs").write_text("0")
        program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=join, start_new_session=True, cwd=self.scratch)

        def end():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()
        self.stack.callback(end)
        return program, end


def write(group, **files):
    for name, value in files.items():
        file = group / name.replace("__", ".")
        if file.exists():
            file.write_text(str(value))


def hold_connections(place, firsts):
    """One for each, which sends that and stays."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    held = []
    for _ in firsts:
        one = socket.socket()
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            one.connect(("127.0.0.1", place.port))
        held.append(one)
        place.stack.callback(one.close)
    time.sleep(0.5)
    for one, first in zip(held, firsts):
        with contextlib.suppress(OSError):
            if first:
                one.send(first)
    return held


def upload_head(token):
    """Of a hand-in, up to the first byte of its file."""
    fields = {"token": token, "course": COURSE, "module": "PA1"}
    body = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    body += '--b\r\nContent-Disposition: form-data; name="file"; filename="a.tar"\r\n\r\n'
    return f"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n{body}".encode()


def slow_clients(place, variant):
    tokens = place.serve().course([60, 550, 700, 900][variant])
    place.calm()
    held = hold_connections(place, [upload_head(token) for token in tokens])
    place.middle = time.time() + TROUBLE_S / 2
    for _ in range(TROUBLE_S * 2):
        time.sleep(0.5)
        for one in held:
            with contextlib.suppress(OSError):
                one.send(b"x")
    place.recorded()
    return ""


def own_bug(place, variant):
    """The server stands still by itself: nothing on the machine holds it."""
    place.serve().calm()
    place.quiet_processors("a server that is late beside them is late because of them")
    os.kill(place.server.pid, signal.SIGSTOP)
    place.trouble([0.05, 4, 5, 7][variant])
    os.kill(place.server.pid, signal.SIGCONT)
    place.recorded()
    return ""


def blackout(place, variant):
    place.serve()
    recorder = place.child("recorder")
    place.calm()
    os.kill(recorder, signal.SIGSTOP)
    place.trouble([1, 5, 7, 9][variant])
    os.kill(recorder, signal.SIGCONT)
    place.recorded()
    return ""


def runner_lost(place, variant):
    place.serve()
    runner = place.child("runner")
    place.calm()
    os.kill(runner, signal.SIGCONT if variant == 0 else [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT][variant - 1])
    place.trouble(2)
    place.recorded()
    return ""


def accept_queue_full(place, variant):
    """More connections than the queue holds come while the server does not take them in."""
    backlog = int(pathlib.Path("/proc/sys/net/core/somaxconn").read_text())
    place.serve().calm()
    if variant > 0:
        os.kill(place.server.pid, signal.SIGSTOP)
    hold_connections(place, [b""] * (200 if variant == 0 else backlog + 200 * variant))
    place.trouble(2)
    os.kill(place.server.pid, signal.SIGCONT)
    place.recorded()
    return ""


def disk_full(place, variant):
    place.data.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={64 + 32 * variant}m", "machine", place.data], stderr=subprocess.DEVNULL).returncode != 0:
        raise Lacking("a small file system")
    place.stack.callback(subprocess.run, ["umount", "-l", place.data], check=True)
    place.serve().calm()
    room = os.statvfs(place.data)
    left = 60 << 20 if variant == 0 else 8 << 20
    os.posix_fallocate(os.open(place.data / "filler", os.O_CREAT | os.O_WRONLY), 0, max(1, room.f_bavail * room.f_frsize - left))
    place.trouble(3)
    place.recorded()
    return ""


def disk_writer(place, variant):
    name, made = place.group("blkio", "memory", "cpuacct")
    place.takes_processors = True
    place.serve().calm()
    place.quiet_processors("where something always runs, the kernel never says that everything waits for a disk")
    streams = [0, 3, 5, 8][variant]
    script = "while :; do dd if=/dev/zero of=$0 bs=4M count=16 oflag=direct conv=notrunc,fsync; done"
    ends = [place.run_in(made, "sh", "-c", script, f"stream{i}")[1] for i in range(streams)]
    place.trouble()
    for end in ends:
        end()
    place.recorded()
    return name


def disk_reader(place, variant):
    name, made = place.group("blkio", "memory", "cpuacct")
    place.takes_processors = True
    place.serve().calm()
    place.quiet_processors("where something always runs, the kernel never says that everything waits for a disk")
    with open(place.scratch / "large", "wb") as large:
        large.write(os.urandom(1 << 20) * 256)
        large.flush()
        os.fsync(large.fileno())
    streams = [0, 4, 6, 8][variant]
    script = "while :; do dd if=large of=/dev/null bs=4M iflag=direct; done"
    ends = [place.run_in(made, "sh", "-c", script)[1] for _ in range(streams)]
    place.trouble()
    for end in ends:
        end()
    place.recorded()
    return name


def cgroup_throttled(place, variant):
    """The server has a quota that its work does not fit in: it stands still for the rest of each second. The near miss has one it fits in."""
    _, made = place.group("cpu", "cpuacct")
    place.takes_processors = True
    place.serve()
    quota_us = [900_000, 20_000, 40_000, 60_000][variant]
    for group in made:
        write(group, cpu__cfs_period_us=1_000_000, cpu__cfs_quota_us=quota_us, cpu__max=f"{quota_us} 1000000")
    place.calm()
    for group in made:
        (group / "cgroup.procs").write_text(str(place.server.pid))
    place.stack.callback(lambda: [(group.parent / "cgroup.procs").write_text(str(place.server.pid)) for group in made])
    place.trouble_beside_readers(pause_s=0 if variant else 0.05)
    place.recorded()
    return ""


def cpu_starved(place, variant):
    """The server has next to no weight beside what else wants the processors."""
    name, made = place.group("cpu", "cpuacct", "memory")
    place.takes_processors = True
    place.serve()
    theirs = next(group for group in made if (group / "cpu.shares").exists() or (group / "cpu.weight").exists())
    servers = theirs.parent / f"{name}-server"
    servers.mkdir()
    place.stack.callback(servers.rmdir)
    write(servers, cpu__shares=2, cpu__weight=1)
    place.stack.callback((theirs.parent / "cgroup.procs").write_text, str(place.server.pid))
    (servers / "cgroup.procs").write_text(str(place.server.pid))
    place.calm()
    place.quiet_processors("who starves it there is whoever is heavier")
    ends = [place.run_in(made, sys.executable, "-c", "while True: pass")[1] for _ in range([0, 6, 8, 12][variant])]
    # Whoever sleeps most of the time is served at once, whatever it weighs: only a server that always has work is late.
    place.trouble_beside_readers(pause_s=0, readers=16) if variant else place.trouble_beside_readers(pause_s=0.01)
    for end in ends:
        end()
    place.recorded()
    return name


def job_at_limit(place, variant):
    """A program that reads a file larger than its own limit again and again, while the machine has plenty."""
    name, made = place.group("memory", "cpuacct", "unified")
    limited = next(group for group in made if (group / "memory.limit_in_bytes").exists() or (group / "memory.max").exists())
    write(limited, memory__limit_in_bytes=(200 if variant == 0 else 16 + 16 * variant) << 20, memory__max=(200 if variant == 0 else 16 + 16 * variant) << 20, memory__swap__max=0)
    place.takes_processors = True
    place.serve().calm()
    with open(place.scratch / "large", "wb") as large:
        large.write(os.urandom(1 << 20) * 96)
        large.flush()
        os.fsync(large.fileno())
        os.posix_fadvise(large.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # what stays in memory is charged to us, who wrote it
    _, end = place.run_in(made, "sh", "-c", "while cat large >/dev/null; do sleep 0.2; done")
    place.trouble()
    end()
    place.recorded()
    return name


STAGES = [(prefix + stage.__name__, stage, variants) for stage in (slow_clients, own_bug, blackout, runner_lost, accept_queue_full, disk_full, disk_writer, disk_reader, cgroup_throttled, cpu_starved, job_at_limit)
          for prefix, variants in (("", (1, 2, 3)), ("*", (0,)))]
