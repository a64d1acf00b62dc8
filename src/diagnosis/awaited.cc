// long: one switch over the system calls that wait, and what each of their arguments names
#include "diagnosis/awaited.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text.hh"
#include "sys/file.hh"
#include "sys/system_calls.hh"
#include "sys/unix_peers.hh"

namespace assay::diagnosis {
namespace {

constexpr std::size_t text_bytes_max = 1 << 20;
constexpr std::size_t links_max = 50'000;  // descriptors of the whole machine that are looked at
constexpr std::size_t polled_max = 256;    // descriptors of one poll or epoll

std::string text_at(const std::string& path) {
    auto text = sys::read_file(path, text_bytes_max);
    return text ? std::move(*text) : std::string{};
}

bool any(std::string_view name, std::initializer_list<std::string_view> of) {
    return std::ranges::find(of, name) != of.end();
}

bool reads(std::string_view n) {
    return any(n, {"read", "readv", "pread64", "preadv", "preadv2", "recvfrom", "recvmsg", "recvmmsg", "accept",
                   "accept4", "splice", "tee"});
}
bool writes(std::string_view n) {
    return any(n, {"write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg", "connect",
                   "sendfile", "copy_file_range"});
}
bool syncs(std::string_view n) {
    return any(n, {"fsync", "fdatasync", "sync_file_range", "syncfs", "fallocate", "ftruncate", "ioctl", "close"});
}
bool lists(std::string_view n) { return any(n, {"getdents", "getdents64", "fstat", "fchmod", "fchown", "fstatfs"}); }
bool paths(std::string_view n) {
    return any(n, {"open", "stat", "lstat", "access", "readlink", "unlink", "rename", "mkdir", "rmdir", "link",
                   "symlink", "truncate", "chmod", "chown", "statfs", "execve", "getxattr"});
}
bool paths_at(std::string_view n) {
    return any(n, {"openat", "openat2", "newfstatat", "statx", "faccessat", "faccessat2", "readlinkat", "unlinkat",
                   "renameat", "renameat2", "mkdirat", "linkat", "symlinkat", "fchmodat", "fchownat", "utimensat"});
}
bool polls(std::string_view n) {
    return any(n, {"poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2"});
}

int as_descriptor(std::uint64_t argument) { return static_cast<int>(static_cast<std::uint32_t>(argument)); }
bool negative(std::uint64_t argument) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(argument)) < 0; }

void add(Awaited& sum, const Awaited& one) {
    const bool had_requests = sum.wait == Wait::requests;
    sum.outside = sum.outside || one.outside || (one.pids.empty() && one.tids.empty() && !one.own_process);
    sum.bounded = sum.bounded || one.bounded;
    sum.own_process = sum.own_process || one.own_process;
    sum.pids.insert(sum.pids.end(), one.pids.begin(), one.pids.end());
    // One alone is waited for as if it were read; several are events, of which a new request may be one.
    if (sum.object.empty() && (one.wait == Wait::socket || one.wait == Wait::pipe)) sum.wait = one.wait;
    else sum.wait = Wait::events;
    if (one.wait == Wait::requests || had_requests) sum.wait = Wait::requests;
    if (one.object.empty() || std::ranges::count(sum.object, ',') > 3) return;
    sum.object += (sum.object.empty() ? "" : ", ") + one.object;
}

bool remote(const MountLine* mount) {
    if (mount == nullptr) return true;
    const std::string_view type = mount->type;
    return type.starts_with("fuse") || type.starts_with("nfs") ||
           any(type, {"cifs", "smb3", "9p", "ceph", "lustre", "beegfs"});
}

template <class T>
T word_at(const std::string& bytes, std::size_t at) {
    T value{};
    if (at + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

}  // namespace

Objects::Objects(std::set<int> ours, std::set<int> others)
    : ours_{std::move(ours)}, others_{std::move(others)}, mounts_{mounts_of(text_at("/proc/self/mountinfo"))} {}

std::optional<std::string> Objects::memory(int pid, std::uint64_t address, std::size_t size) {
    const std::string path = fmt::format("/proc/{}/mem", pid);
    const auto file = sys::open_read(path);
    std::string bytes(size, '\0');
    if (file) {
        const auto got =
            sys::read_at(*file, std::as_writable_bytes(std::span{bytes}), static_cast<std::int64_t>(address));
        if (got && *got == size) return bytes;
        if (got) return std::nullopt;
    }
    unread_.insert(path + " (needs the right to trace it: root, or kernel.yama.ptrace_scope = 0)");
    return std::nullopt;
}

void Objects::list_descriptors() {
    if (std::exchange(listed_, true)) return;
    std::size_t seen = 0;
    std::size_t closed = 0;
    std::set<int> all = ours_;
    all.insert(others_.begin(), others_.end());
    const auto list = [&](int pid) {
        const std::string folder = fmt::format("/proc/{}/fd", pid);
        const auto names = sys::list_directory(folder);
        if (!names) {
            ++closed;
            return;
        }
        for (const std::string& name : *names) {
            if (++seen > links_max) return;
            const auto link = sys::link_target(folder + "/" + name);
            if (!link || !(link->starts_with("pipe:") || link->starts_with("socket:") || link->starts_with("/")))
                continue;
            if (link->starts_with("/") && !ours_.contains(pid)) continue;
            End end{.pid = pid};
            if (!link->starts_with("socket:")) {
                const std::string info = text_at(fmt::format("/proc/{}/fdinfo/{}", pid, name));
                const std::string_view flags = field_of(info, "flags");
                const char mode = flags.empty() ? '2' : flags.back();  // octal: 0 reads, 1 writes, 2 both
                end.reads = mode != '1' && mode != '5';
                end.writes = mode != '0' && mode != '4';
            }
            holders_[*link].push_back(end);
        }
    };
    for (const int pid : ours_) list(pid);
    for (const int pid : others_) list(pid);
    if (closed > 0) unread_.insert(fmt::format("/proc/PID/fd of {} processes of other users (needs root)", closed));
    if (seen > links_max) unread_.insert(fmt::format("descriptors beyond the first {}", links_max));
}

const std::vector<Objects::End>& Objects::holders(const std::string& link) {
    list_descriptors();
    return holders_[link];
}

Awaited Objects::of_pipe(int pid, const std::string& link, bool writing) {
    Awaited found{.wait = Wait::pipe, .object = link};
    for (const End& end : holders(link)) {
        if (writing ? !end.reads : !end.writes) continue;
        if (end.pid == pid) found.own_process = true;
        else found.pids.push_back(end.pid);
    }
    found.outside = found.pids.empty() && !found.own_process;
    return found;
}

Awaited Objects::of_socket(int pid, std::uint64_t inode) {
    Awaited found{.wait = Wait::socket, .object = fmt::format("socket:[{}]", inode)};
    const auto take = [&](std::uint64_t other) {
        for (const End& end : holders(fmt::format("socket:[{}]", other))) {
            if (end.pid == pid) found.own_process = true;
            else found.pids.push_back(end.pid);
        }
    };
    for (const char* const table : {"tcp", "tcp6"}) {
        const auto connections = connections_of(text_at(fmt::format("/proc/{}/net/{}", pid, table)));
        const auto mine = std::ranges::find(connections, inode, &Connection::inode);
        if (mine == connections.end()) continue;
        if (mine->listening) return {.wait = Wait::requests, .object = mine->local_text, .outside = true};
        found.object = mine->remote_text;
        for (const Connection& one : connections) {
            if (one.local == mine->remote && one.remote == mine->local && one.inode != 0) take(one.inode);
            else if (one.listening &&
                     one.local.substr(one.local.find(':')) == mine->remote.substr(mine->remote.find(':')) &&
                     one.local_text.starts_with("127.0.0.1"))
                take(one.inode);
        }
        found.outside = found.pids.empty() && !found.own_process;
        return found;
    }
    const auto unix_sockets = unix_sockets_of(text_at(fmt::format("/proc/{}/net/unix", pid)));
    const auto mine = std::ranges::find(unix_sockets, inode, &UnixSocket::inode);
    if (mine == unix_sockets.end()) {
        found.outside = true;
        return found;
    }
    if (mine->listening)
        return {.wait = Wait::requests, .object = mine->path.empty() ? found.object : mine->path, .outside = true};
    if (!unix_peers_) {
        auto peers = sys::unix_peers();
        if (!peers) unread_.insert("the ends of Unix sockets: " + peers.error().text());
        unix_peers_ = peers ? std::move(*peers) : std::map<std::uint64_t, std::uint64_t>{};
    }
    std::uint64_t other = 0;
    if (const auto peer = unix_peers_->find(inode); peer != unix_peers_->end()) other = peer->second;
    if (other != 0) take(other);
    const auto named = std::ranges::find(unix_sockets, other, &UnixSocket::inode);
    const std::string path = !mine->path.empty() ? mine->path : named != unix_sockets.end() ? named->path : "";
    if (!path.empty()) found.object = path;
    found.outside = found.pids.empty() && !found.own_process;
    return found;
}

Awaited Objects::of_descriptor(int pid, int descriptor, bool writing) {
    const auto link = sys::link_target(fmt::format("/proc/{}/fd/{}", pid, descriptor));
    if (!link) {
        unread_.insert(link.error().text());
        return {.wait = Wait::other, .object = fmt::format("descriptor {}", descriptor), .outside = true};
    }
    const std::string name = escaped(*link, 400);
    if (link->starts_with("pipe:")) return of_pipe(pid, *link, writing);
    if (const auto inode = inode_in(*link, "socket")) return of_socket(pid, *inode);
    if (link->starts_with("/dev/pts/") || link->starts_with("/dev/tty") || *link == "/dev/console")
        return {.wait = Wait::terminal, .object = name, .outside = true};
    const std::string info = text_at(fmt::format("/proc/{}/fdinfo/{}", pid, descriptor));
    if (*link == "anon_inode:[eventfd]") return {.wait = Wait::events, .object = name, .own_process = true};
    if (*link == "anon_inode:[timerfd]") {
        const bool armed = !field_of(info, "it_value").starts_with("(0, 0)");
        return {.wait = Wait::timer, .object = name, .bounded = armed, .outside = !armed};
    }
    if (*link == "anon_inode:[eventpoll]")
        return of_events(pid, {.number = -2, .arguments = {static_cast<std::uint64_t>(descriptor)}}, "epoll_wait");
    if (!link->starts_with("/")) return {.wait = Wait::events, .object = name, .outside = true};
    Awaited file{.wait = Wait::file_data, .object = name, .outside = true};
    const MountLine* const mount = mount_of(mounts_, *link);
    if (mount != nullptr) file.mount_type = mount->type;
    // A FIFO of the file system has a name like a file. What is not local is not asked: it may be what hangs.
    if (remote(mount)) return file;
    if (const auto what = sys::info_of_path(*link); what && what->kind == sys::FileInfo::Kind::other) {
        Awaited fifo = of_pipe(pid, *link, writing);
        fifo.object = name;
        return fifo;
    }
    return file;
}

Awaited Objects::of_events(int pid, const Call& call, std::string_view name) {
    Awaited sum{.wait = Wait::events};
    bool known = false;
    if (name.starts_with("epoll")) {
        const std::string info = text_at(fmt::format("/proc/{}/fdinfo/{}", pid, as_descriptor(call.arguments[0])));
        std::size_t seen = 0;
        for (const std::string_view line : split(info, '\n')) {
            if (!line.starts_with("tfd:") || ++seen > polled_max) continue;
            const std::string_view rest = trimmed(line.substr(4));
            const auto descriptor = number_of(rest.substr(0, rest.find(' ')));
            if (descriptor) add(sum, of_descriptor(pid, static_cast<int>(*descriptor), false));
            known = true;
        }
    } else if (name.ends_with("poll")) {
        const std::size_t count = std::min<std::size_t>(call.arguments[1], polled_max);
        if (const auto bytes = count == 0 ? std::optional{std::string{}} : memory(pid, call.arguments[0], count * 8)) {
            for (std::size_t i = 0; i < count; ++i) {
                const int descriptor = word_at<std::int32_t>(*bytes, i * 8);
                const bool writing = (word_at<std::int16_t>(*bytes, i * 8 + 4) & 4) != 0;  // POLLOUT
                if (descriptor >= 0) add(sum, of_descriptor(pid, descriptor, writing));
            }
            known = true;
        }
    } else {
        const std::size_t count = std::min<std::size_t>(call.arguments[0], 1024);
        for (const int set : {1, 2}) {
            if (call.arguments[static_cast<std::size_t>(set)] == 0) continue;
            const auto bits = memory(pid, call.arguments[static_cast<std::size_t>(set)], (count + 63) / 64 * 8);
            if (!bits) continue;
            known = true;
            for (std::size_t i = 0; i < count; ++i) {
                if ((static_cast<unsigned char>((*bits)[i / 8]) >> (i % 8) & 1U) != 0)
                    add(sum, of_descriptor(pid, static_cast<int>(i), set == 2));
            }
        }
        known = known || (call.arguments[1] == 0 && call.arguments[2] == 0);
    }
    if (!known) sum.outside = true;
    return sum;
}

// glibc's layout of a mutex: the word a thread waits for, a count, the owner's thread id. A semaphore's word is followed by no owner.
Awaited Objects::of_lock(int pid, int tid, const Call& call, const std::set<int>& tids) {
    constexpr std::uint64_t is_private = 128;
    constexpr std::uint32_t contended = 2;
    const std::uint64_t operation = call.arguments[1] & 127U;
    Awaited lock{.wait = Wait::lock, .object = fmt::format("lock {:#x}", call.arguments[0])};
    const bool waits = any(std::to_string(operation), {"0", "9", "6", "13", "11"});
    lock.bounded = !waits || call.arguments[3] != 0;
    const auto bytes = memory(pid, call.arguments[0], 16);
    const auto word = bytes ? word_at<std::uint32_t>(*bytes, 0) : 0U;
    const auto owner = bytes ? word_at<std::int32_t>(*bytes, 8) : 0;
    if ((call.arguments[1] & is_private) == 0) {
        if (const int joined = static_cast<int>(word); joined != tid && tids.contains(joined) && operation != 0) {
            return {.wait = Wait::join,
                    .object = fmt::format("the end of thread {}", joined),
                    .bounded = lock.bounded,
                    .tids = {joined}};
        }
        // Shared between processes: whoever of the tree has the memory could be it.
        lock.own_process = true;
        lock.pids.assign(ours_.begin(), ours_.end());
        return lock;
    }
    if (word == contended && owner > 0 && tids.contains(owner) && owner != tid) lock.tids = {owner};
    else if (word == contended && owner == tid) lock.tids = {tid};  // It waits for itself.
    else if (word == contended && owner > 300 && owner < (1 << 22)) lock.owner_gone = owner;
    else lock.own_process = true;
    return lock;
}

Awaited Objects::of_path(int pid, const Call& call, std::string_view name, char state) {
    const std::uint64_t address = call.arguments[paths_at(name) ? 1 : 0];
    Awaited file{.wait = Wait::file_metadata, .outside = true};
    std::string path;
    for (std::size_t at = 0; at < 16; ++at) {  // In pieces: what is behind the end may not be readable.
        const auto piece = memory(pid, address + at * 64, 64);
        if (!piece) break;
        path += piece->substr(0, piece->find('\0'));
        if (piece->find('\0') != std::string::npos) break;
    }
    if (path.empty() && paths_at(name)) {
        const auto link = sys::link_target(fmt::format("/proc/{}/fd/{}", pid, as_descriptor(call.arguments[0])));
        if (link) path = *link;
    } else if (!path.starts_with("/")) {
        const auto base = sys::link_target(fmt::format("/proc/{}/cwd", pid));
        if (base) path = *base + "/" + path;
    }
    file.object = escaped(path, 400);
    const MountLine* const mount = mount_of(mounts_, path);
    if (mount != nullptr) file.mount_type = mount->type;
    if (state == 'S' && name.starts_with("open") && !remote(mount)) {  // A FIFO nobody has opened at the other end.
        file.wait = Wait::pipe;
        file.mount_type.clear();
    }
    return file;
}

Awaited Objects::of_file_lock(int pid, int descriptor) {
    Awaited lock{.wait = Wait::file_lock};
    const auto link = sys::link_target(fmt::format("/proc/{}/fd/{}", pid, descriptor));
    lock.object = link ? escaped(*link, 400) : fmt::format("descriptor {}", descriptor);
    const auto locks = file_locks_of(text_at("/proc/locks"));
    for (const FileLock& mine : locks) {
        if (!mine.waits || mine.pid != pid) continue;
        for (const FileLock& held : locks) {
            if (!held.waits && held.file == mine.file && held.pid != pid) lock.pids.push_back(held.pid);
        }
    }
    // A lock of flock(2) belongs to the open file: whoever inherited it holds it too, and the one who took it may be gone.
    lock.outside = lock.pids.empty();
    return lock;
}

Awaited Objects::of(int pid, int tid, const Call& call, char state, const std::set<int>& tids) {
    const std::string_view name = call.number < 0 ? "" : sys::system_call_name(call.number);
    Awaited found{.wait = Wait::other, .outside = true};
    if (call.number == -1) found = {.wait = state == 'D' ? Wait::page : Wait::other, .outside = true};
    else if (reads(name) || writes(name) || syncs(name) || lists(name)) {
        const int descriptor = as_descriptor(call.arguments[name == "sendfile" || name == "copy_file_range" ? 1 : 0]);
        found = of_descriptor(pid, descriptor, writes(name) && name != "connect");
        if (found.wait == Wait::file_data && lists(name)) found.wait = Wait::file_metadata;
        if (name == "connect" && found.wait == Wait::socket) found.outside = found.pids.empty();
    } else if (paths(name) || paths_at(name)) found = of_path(pid, call, name, state);
    else if (name == "futex") found = of_lock(pid, tid, call, tids);
    else if (polls(name)) {
        found = of_events(pid, call, name);
        const bool has_timeout = name == "poll"                                  ? !negative(call.arguments[2])
                                 : name == "epoll_wait" || name == "epoll_pwait" ? !negative(call.arguments[3])
                                 : name == "ppoll"                               ? call.arguments[2] != 0
                                 : name == "epoll_pwait2"                        ? call.arguments[3] != 0
                                                                                 : call.arguments[4] != 0;
        found.bounded = found.bounded || has_timeout;
        if (has_timeout && found.object.empty()) found.wait = Wait::timer;
    } else if (any(name, {"nanosleep", "clock_nanosleep", "restart_syscall"}))
        found = {.wait = Wait::timer, .object = "a timer", .bounded = true};
    else if (any(name, {"wait4", "waitid"})) {
        found = {.wait = Wait::child, .object = "the end of a child"};
        std::vector<int> children;
        for (const std::string_view word :
             split(trimmed(text_at(fmt::format("/proc/{0}/task/{1}/children", pid, tid))), ' ')) {
            if (const auto child = number_of(word)) children.push_back(static_cast<int>(*child));
        }
        const int wanted = as_descriptor(call.arguments[0]);
        if (name == "wait4" && wanted > 0) children = {wanted};
        found.pids = std::move(children);
        found.outside = found.pids.empty();
    } else if (name == "flock" || (name == "fcntl" && (call.arguments[1] == 7 || call.arguments[1] == 38)))
        found = of_file_lock(pid, as_descriptor(call.arguments[0]));
    else if (any(name, {"pause", "rt_sigsuspend", "rt_sigtimedwait"}))
        found = {.wait = Wait::signal, .bounded = name == "rt_sigtimedwait" && call.arguments[2] != 0, .outside = true};
    found.call = name;
    return found;
}

}  // namespace assay::diagnosis
