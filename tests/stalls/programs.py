"""Programs that stall, and programs that nearly do: `programs.py NAME VARIANT` (1, 2 or 3).

Prints "ready", and optionally "offender WORD" and "ask PID", when it is as it will stay. Those that need a place of their own (a file
system, a control group) make it below the folder named by STALLS_SCRATCH and are given it by `run`.
"""
import ctypes
import fcntl
import mmap
import multiprocessing
import os
import queue
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

SCRATCH = os.environ["STALLS_SCRATCH"]


def say(*words):
    print(*words, flush=True)


def for_ever():
    while True:
        time.sleep(1000)


def beat_for_ever(every=0.1):
    while True:
        time.sleep(every)
        say("step")


def child(body):
    """A process of its own that is no child of whoever is asked about."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        body(lambda: os.write(write, b"x"))
        os._exit(0)
    os.close(write)
    os.read(read, 1)
    return pid


def asked(body):
    """Like child(), and it is the one that is asked about."""
    pid = child(body)
    say("ask", pid)
    return pid


# --- locks, pipes and queues

def python_locks(variant):
    count = variant + 1
    locks = [threading.Lock() for _ in range(count)]
    barrier = threading.Barrier(count + 1)

    def take(i):
        with locks[i]:
            barrier.wait()
            locks[(i + 1) % count].acquire()

    for i in range(count):
        threading.Thread(target=take, args=(i,)).start()
    barrier.wait()
    say("ready")


def queue_forgotten(variant):
    work = queue.Queue()
    for _ in range(variant - 1):
        threading.Thread(target=work.get).start()
    say("ready")
    work.get()


def python_fork_lock(variant):
    lock = threading.Lock()
    lock.acquire()
    children = []
    for _ in range(variant):
        children.append(os.fork())
        if children[-1] == 0:
            lock.acquire()
            os._exit(0)
    say("offender", "|".join(f"[{child}]" for child in children))
    say("ready")
    os.wait()


def shared_semaphore(variant):
    semaphore = multiprocessing.Semaphore(0)
    for _ in range(variant):
        multiprocessing.Process(target=semaphore.acquire).start()
    say("ready")
    semaphore.acquire()


def pipe_cycle(variant):
    count = variant + 1
    pipes = [os.pipe() for _ in range(count)]
    for i in range(1, count):
        if os.fork() == 0:
            os.read(pipes[i][0], 1)
            os._exit(0)
    say("ready")
    os.read(pipes[0][0], 1)


def pipe_full(variant):
    """Writes all before it reads any of what a filter answers."""
    filter_ = subprocess.Popen(["cat"] if variant == 1 else ["sed", ""] if variant == 2 else ["tr", "a", "b"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    say("ready")
    filter_.stdin.write(b"a\n" * (1 << 20))


def own_pipe(_):
    read, write = os.pipe()
    say("ready")
    os.read(read, 1)


# --- peers

def file_lock(variant):
    path = os.path.join(SCRATCH, f"lock{variant}")

    def take(how):
        file = open(path, "w")
        (fcntl.flock if variant == 1 else fcntl.lockf)(file, how)
        return file

    def hold(done):
        kept = take(fcntl.LOCK_EX)
        done()
        for_ever() if variant < 3 else beat_for_ever()
        return kept

    say("offender", f"[{child(hold)}]")

    def want(done):
        done()
        take(fcntl.LOCK_EX)

    asked(want)
    say("ready")
    for_ever()


def pair_of(variant):
    if variant == 3:
        listening = socket.create_server(("127.0.0.1", 0))
        ours = socket.create_connection(listening.getsockname())
        theirs, _ = listening.accept()
        listening.close()
        return ours, theirs
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM if variant == 1 else socket.SOCK_SEQPACKET)


def peer_stopped(variant):
    ours, theirs = pair_of(variant)

    def serve(done):
        ours.close()
        done()
        theirs.recv(1)
        theirs.send(b"x")

    peer = child(serve)

    def want(done):
        theirs.close()
        done()
        ours.recv(1)

    asked(want)
    ours.close()
    theirs.close()
    os.kill(peer, signal.SIGSTOP)
    say("offender", f"[{peer}]")
    say("ready")
    for_ever()


def peer_silent(variant):
    ours, theirs = pair_of(variant)

    def serve(done):
        ours.close()
        done()
        for_ever()

    peer = child(serve)

    def want(done):
        theirs.close()
        done()
        while True:
            ours.send(b"x" * 65536) if variant == 2 else ours.recv(1)

    asked(want)
    ours.close()
    theirs.close()
    say("offender", f"[{peer}]")
    say("ready")
    for_ever()


def pipe_peer(variant):
    read, write = os.pipe()

    def keep(done):
        os.close(read)
        done()
        for_ever()

    peer = child(keep)

    def want(done):
        os.close(write)
        done()
        os.read(read, 1)

    asked(want)
    os.close(write)
    os.close(read)
    if variant == 2:
        os.kill(peer, signal.SIGSTOP)
    say("offender", f"[{peer}]")
    say("ready")
    for_ever()


def fifo(variant):
    path = os.path.join(SCRATCH, f"fifo{variant}")
    os.mkfifo(path)
    say("offender", path)
    say("ready")
    open(path, "rb" if variant == 1 else "wb")


# --- processes

def stopped(variant):
    if variant == 2:
        threading.Thread(target=for_ever).start()

    def work(done):
        done()
        beat_for_ever() if variant == 3 else for_ever()

    pid = asked(work)
    os.kill(pid, signal.SIGSTOP)
    say("offender", f"[{pid}]")
    say("ready")
    for_ever()


def worker_crashed(variant):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        if variant == 1:
            os._exit(3)
        os.kill(os.getpid(), signal.SIGSEGV if variant == 2 else signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    say("offender", f"[{pid}]")
    say("ready")
    os.read(read, 1)


def worker_out_of_memory(variant):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        held = []
        while True:
            held.append(bytearray(8 << 20))
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    say("offender", f"[{pid}]")
    say("ready")
    os.read(read, 1)


def descriptors_gone(variant):
    resource.setrlimit(resource.RLIMIT_NOFILE, (24 * variant, 24 * variant))
    held = []
    while True:
        try:
            held.append(open("/dev/null") if variant < 3 else socket.socket())
        except OSError:
            break
    say("ready")
    while True:
        try:
            os.close(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            time.sleep(0.2)


def tasks_gone(variant):
    held = []
    while True:
        try:
            pid = os.fork()
        except OSError:
            break
        if pid == 0:
            for_ever()
        held.append(pid)
    say("ready")
    while True:
        try:
            os.waitpid(os.fork(), 0)
        except OSError:
            time.sleep(0.1 * variant)


# --- the CPU

def count(variant=1):
    total = 0
    while True:
        for i in range(300_000):
            total += i
        say("step")


def quota(variant):
    say("ready")
    for _ in range(0 if variant == 1 else 3 * variant):
        if os.fork() == 0:
            count()
    count()


def many_workers(variant):
    os.sched_setaffinity(0, {0})
    say("ready")
    for _ in range(4 * variant):
        if os.fork() == 0:
            count()
    count()


def neighbour(variant):
    os.sched_setaffinity(0, {1 if os.cpu_count() > 1 else 0})

    def hog(done):
        done()
        while True:
            pass

    say("offender", "|".join(f"[{child(hog)}]" for _ in range(variant + 1)))

    def work(done):
        done()
        count()

    asked(work)
    say("ready")
    for_ever()


# --- storage

def full(variant):
    where = os.path.join(SCRATCH, "small")
    if variant == 3:
        for i in range(100_000):
            try:
                os.close(os.open(f"{where}/{i}", os.O_CREAT | os.O_WRONLY))
            except OSError:
                break
    file = open(f"{where}/{0 if variant == 3 else 'data'}", "wb", buffering=0)
    try:
        while variant != 3 and file.write(b"x" * 65536) == 65536:
            pass
    except OSError:
        pass
    say("offender", where)
    say("ready")
    while True:
        try:
            if variant == 3:
                os.close(os.open(f"{where}/more", os.O_CREAT | os.O_WRONLY))
            else:
                os.write(file.fileno(), b"x" * 4096)
        except OSError:
            time.sleep(0.1 * variant)


def storage_data(variant):
    path = os.path.join(SCRATCH, "slow", f"data{variant}")
    say("offender", path)
    say("ready")
    with open(path, "rb", buffering=0) as file:
        while True:
            os.pread(file.fileno(), 4096, 0)


def storage_metadata(variant):
    where = os.path.join(SCRATCH, "slow")
    say("offender", where)
    say("ready")
    i = 0
    while True:
        i += 1
        path = f"{where}/name{variant}-{i}"
        os.path.exists(path) if variant < 3 else os.access(path, os.R_OK)


def storage_hang(variant):
    where = os.path.join(SCRATCH, "slow")
    path = f"{where}/{'hang-name' if variant == 1 else 'hang-data'}"
    say("offender", path)
    say("ready")
    if variant == 1:
        os.stat(path)
    with open(path, "rb", buffering=0) as file:
        if variant == 3:
            threading.Thread(target=for_ever).start()
        os.pread(file.fileno(), 4096, 0)


def device_limited(variant):
    """Reads past the page cache from a disk that is limited for its group."""
    file = os.open(os.path.join(SCRATCH, "direct"), os.O_RDONLY | os.O_DIRECT)
    buffer = mmap.mmap(-1, 65536 * variant)
    say("ready")
    while True:
        os.lseek(file, 0, os.SEEK_SET)
        while os.readv(file, [buffer]) > 0:
            pass


def thrash(variant):
    path = os.path.join(SCRATCH, "large")
    size = os.path.getsize(path)
    file = open(path, "rb")
    view = mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ)
    view.madvise(mmap.MADV_RANDOM)
    say("ready")
    at = 0
    total = 0
    while True:
        at = (at + 4096 * (variant * 2 + 1) * 37) % size
        total += view[at]
        if at < 4096:
            say("step")


# --- near misses

def server(variant):
    listening = socket.create_server(("127.0.0.1", 0)) if variant < 3 else None
    if variant == 3:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(os.path.join(SCRATCH, "server"))
        listening.listen()
    say("ready")
    if variant == 2:
        import selectors
        with selectors.DefaultSelector() as events:
            events.register(listening, selectors.EVENT_READ)
            events.select()
    listening.accept()


def sleeper(variant):
    say("ready")
    if variant == 1:
        for_ever()
    if variant == 2:
        threading.Event().wait(1000)
    signal.pause()


def waits_for_sleeper(variant):
    read, write = os.pipe()
    if os.fork() == 0:
        time.sleep(1000)
    os.close(write)
    say("ready")
    os.wait() if variant == 1 else os.read(read, 1)


def neighbour_elsewhere(variant):
    """Others work, on another CPU."""
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[0]})

    def hog(done):
        done()
        while True:
            pass

    for _ in range(variant):
        child(hog)
    os.sched_setaffinity(0, {cpus[-1]})

    def work(done):
        done()
        count()

    asked(work)
    say("ready")
    for_ever()


def many_at_rest(variant):
    """Many more workers than CPUs, who nearly always wait for a time of their own choice."""
    os.sched_setaffinity(0, {0})
    say("ready")
    for _ in range(8 * variant):
        if os.fork() == 0:
            while True:
                time.sleep(0.2)
                say("step")
    beat_for_ever()


def fits(variant):
    """Reads a file at random that its memory has room for."""
    path = os.path.join(SCRATCH, "large")
    file = open(path, "rb")
    view = mmap.mmap(file.fileno(), os.path.getsize(path), prot=mmap.PROT_READ)
    view.madvise(mmap.MADV_RANDOM)
    total = sum(view[at] for at in range(0, len(view), 4096))  # all of it is there now
    say("ready")
    while True:
        for at in range(0, len(view), 4096 * variant):
            total += view[at]
        say("step")


def builds(variant):
    """One short process after the other, as make and shell scripts start them: none is there from the beginning of a look to its end."""
    zero = os.open("/dev/zero", os.O_RDONLY)
    say("ready")
    while True:
        if os.fork() == 0:
            until = time.monotonic() + [0.6, 0.3, 0.15][variant - 1]
            while time.monotonic() < until:
                os.pread(zero, 4096, 0)
            os._exit(0)
        os.wait()


def waits_for_worker(variant):
    """The first process waits, without a time limit, for one who works."""
    read, write = os.pipe()
    if os.fork() == 0:
        count()
    os.close(write)
    say("ready")
    if variant == 1:
        os.read(read, 1)
    elif variant == 2:
        os.wait()
    else:
        thread = threading.Thread(target=beat_for_ever)
        thread.start()
        thread.join()


def quota_unused(variant):
    say("ready")
    while True:
        for _ in range(1000):
            pass
        time.sleep(0.05 * variant)
        say("step")


def descriptors_left(variant):
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    held = [open("/dev/null") for _ in range(40 + 5 * variant)]
    say("ready")
    beat_for_ever()
    return held


def nearly_full(variant):
    where = os.path.join(SCRATCH, "small")
    with open(f"{where}/data", "wb", buffering=0) as file:
        file.write(b"x" * (1 << 20))
        say("ready")
        while True:
            file.seek(0)
            file.write(b"y" * 4096)
            time.sleep(0.05 * variant)


def child_done(variant):
    """A child that ended well and waits to be collected."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    say("ready")
    for_ever() if variant < 3 else beat_for_ever()


def cached_reads(variant):
    path = os.path.join(SCRATCH, "cached")
    with open(path, "wb") as file:
        file.write(b"x" * (1 << 20))
    say("ready")
    while True:
        with open(path, "rb") as file:
            file.read()
        time.sleep(0.001 * variant)


def timed_locks(variant):
    lock = threading.Lock()
    lock.acquire()
    say("ready")
    while True:
        lock.acquire(timeout=0.5 * variant)


def one_each(variant):
    """As many workers as CPUs."""
    say("ready")
    for _ in range(len(os.sched_getaffinity(0)) - 1):
        if os.fork() == 0:
            count()
    count()


if __name__ == "__main__":
    globals()[sys.argv[1]](int(sys.argv[2]))
