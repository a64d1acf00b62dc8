// What the launcher and /assay/run use of the C library, in a few pages instead of two hundred. Linked instead of it, on x86-64. A static C
// library asks the processor some fifty questions when a program starts, and a virtual machine answers each by leaving it: up to 0.9 ms.
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstring>

namespace {

int last_failure = 0;

long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    register long r9 asm("r9") = f;
    long result = number;
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    if (result < 0 && result >= -4095) {
        last_failure = static_cast<int>(-result);
        return -1;
    }
    return result;
}

template <class T>
long as_long(T* pointer) {
    return reinterpret_cast<long>(pointer);
}

constexpr struct {
    int number;
    const char* text;
} failures[] = {
    {EPERM, "Operation not permitted"},
    {EBADF, "Bad file descriptor"},
    {ECONNREFUSED, "Connection refused"},
    {ECONNRESET, "Connection reset by peer"},
    {EPIPE, "Broken pipe"},
    {ENOBUFS, "No buffer space available"},
    {EMSGSIZE, "Message too long"},
    {ENOENT, "No such file or directory"},
    {EIO, "Input/output error"},
    {E2BIG, "Argument list too long"},
    {ENOEXEC, "Exec format error"},
    {EAGAIN, "Resource temporarily unavailable"},
    {ENOMEM, "Cannot allocate memory"},
    {EACCES, "Permission denied"},
    {ENOTDIR, "Not a directory"},
    {EISDIR, "Is a directory"},
    {EINVAL, "Invalid argument"},
    {EMFILE, "Too many open files"},
    {ETXTBSY, "Text file busy"},
    {ENAMETOOLONG, "File name too long"},
    {ELOOP, "Too many levels of symbolic links"},
    {ELIBBAD, "Accessing a corrupted shared library"},
};

}  // namespace

extern "C" {

int* __errno_location() noexcept { return &last_failure; }

void* memcpy(void* __restrict to, const void* __restrict from, std::size_t size) noexcept {
    void* const start = to;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return start;
}
void* memmove(void* to, const void* from, std::size_t size) noexcept {
    auto* const into = static_cast<unsigned char*>(to);
    const auto* const bytes = static_cast<const unsigned char*>(from);
    if (into <= bytes || into >= bytes + size) return memcpy(to, from, size);
    for (std::size_t i = size; i > 0; --i) into[i - 1] = bytes[i - 1];
    return to;
}
int memcmp(const void* one, const void* other, std::size_t size) noexcept {
    const auto* const a = static_cast<const unsigned char*>(one);
    const auto* const b = static_cast<const unsigned char*>(other);
    for (std::size_t i = 0; i < size; ++i) {
        if (a[i] != b[i]) return a[i] - b[i];
    }
    return 0;
}
int bcmp(const void* one, const void* other, std::size_t size) noexcept { return memcmp(one, other, size); }
void* memset(void* to, int value, std::size_t size) noexcept {
    void* const start = to;
    asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return start;
}
std::size_t strlen(const char* text) noexcept {
    std::size_t size = 0;
    while (text[size] != '\0') {
        asm volatile("");  // Else it is recognised, and becomes a call of itself.
        ++size;
    }
    return size;
}
std::size_t strnlen(const char* text, std::size_t size_max) noexcept {
    std::size_t size = 0;
    while (size < size_max && text[size] != '\0') ++size;
    return size;
}
int strncmp(const char* one, const char* other, std::size_t size) noexcept {
    for (std::size_t i = 0; i < size; ++i) {
        if (one[i] != other[i] || one[i] == '\0') return one[i] - other[i];
    }
    return 0;
}
const void* find_byte(const void* bytes, int value, std::size_t size) noexcept
    asm("memchr");  // C++ has two of that name.
const void* find_byte(const void* bytes, int value, std::size_t size) noexcept {
    const auto* const from = static_cast<const unsigned char*>(bytes);
    for (std::size_t i = 0; i < size; ++i) {
        if (from[i] == static_cast<unsigned char>(value)) return from + i;
    }
    return nullptr;
}
const char* strerrordesc_np(int number) noexcept {
    for (const auto& failure : failures) {
        if (failure.number == number) return failure.text;
    }
    return "Unknown error";
}

ssize_t write(int fd, const void* bytes, std::size_t size) {
    return call(SYS_write, fd, as_long(bytes), static_cast<long>(size));
}
ssize_t read(int fd, void* into, std::size_t size) {
    return call(SYS_read, fd, as_long(into), static_cast<long>(size));
}
int close(int fd) { return static_cast<int>(call(SYS_close, fd)); }
int poll(pollfd* fds, nfds_t count, int time_ms) {
    return static_cast<int>(call(SYS_poll, as_long(fds), static_cast<long>(count), time_ms));
}
int socket(int family, int kind, int protocol) noexcept {
    return static_cast<int>(call(SYS_socket, family, kind, protocol));
}
int connect(int fd, const sockaddr* address, socklen_t size) {
    return static_cast<int>(call(SYS_connect, fd, as_long(address), size));
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) { return call(SYS_sendmsg, fd, as_long(message), flags); }
ssize_t send(int fd, const void* bytes, std::size_t size, int flags) {
    return call(SYS_sendto, fd, as_long(bytes), static_cast<long>(size), flags);
}
ssize_t recv(int fd, void* into, std::size_t size, int flags) {
    return call(SYS_recvfrom, fd, as_long(into), static_cast<long>(size), flags);
}
cmsghdr* next_part(msghdr* message, cmsghdr* part) noexcept asm("__cmsg_nxthdr");  // The header has one, to be inlined.
cmsghdr* next_part(msghdr* message, cmsghdr* part) noexcept {
    auto* const next = reinterpret_cast<unsigned char*>(part) + CMSG_ALIGN(part->cmsg_len);
    const auto* const end = static_cast<unsigned char*>(message->msg_control) + message->msg_controllen;
    const bool whole = part->cmsg_len >= sizeof(cmsghdr) && next + sizeof(cmsghdr) <= end;
    return whole ? reinterpret_cast<cmsghdr*>(next) : nullptr;
}
int open(const char* path, int flags, ...) { return static_cast<int>(call(SYS_open, as_long(path), flags)); }
int setns(int fd, int kinds) noexcept { return static_cast<int>(call(SYS_setns, fd, kinds)); }
int unshare(int kinds) noexcept { return static_cast<int>(call(SYS_unshare, kinds)); }
int setgroups(std::size_t count, const gid_t* groups) noexcept {
    return static_cast<int>(call(SYS_setgroups, static_cast<long>(count), as_long(groups)));
}
int setresuid(uid_t real, uid_t effective, uid_t saved) noexcept {
    return static_cast<int>(call(SYS_setresuid, real, effective, saved));
}
int setresgid(gid_t real, gid_t effective, gid_t saved) noexcept {
    return static_cast<int>(call(SYS_setresgid, real, effective, saved));
}
pid_t setsid() noexcept { return static_cast<pid_t>(call(SYS_setsid)); }
mode_t umask(mode_t mask) noexcept { return static_cast<mode_t>(call(SYS_umask, mask)); }
// SIG_DFL or SIG_IGN: a function would need a way back.
sighandler_t signal(int number, sighandler_t handler) noexcept {
    struct {
        sighandler_t handler;
        unsigned long flags, restorer, mask;
    } wanted{.handler = handler, .flags = 0, .restorer = 0, .mask = 0};
    return reinterpret_cast<sighandler_t>(call(SYS_rt_sigaction, number, as_long(&wanted), 0, sizeof wanted.mask));
}
ssize_t recvmsg(int fd, msghdr* message, int flags) { return call(SYS_recvmsg, fd, as_long(message), flags); }
int fstat(int fd, struct stat* info) noexcept { return static_cast<int>(call(SYS_fstat, fd, as_long(info))); }
int dup2(int from, int to) noexcept { return static_cast<int>(call(SYS_dup2, from, to)); }
int chdir(const char* path) noexcept { return static_cast<int>(call(SYS_chdir, as_long(path))); }
int execve(const char* path, char* const* arguments, char* const* environment) noexcept {
    return static_cast<int>(call(SYS_execve, as_long(path), as_long(arguments), as_long(environment)));
}
void* mmap(void* place, std::size_t size, int protection, int flags, int fd, off_t offset) noexcept {
    return reinterpret_cast<void*>(
        call(SYS_mmap, as_long(place), static_cast<long>(size), protection, flags, fd, offset));
}
int prlimit(pid_t pid, __rlimit_resource resource, const rlimit* wanted, rlimit* had) noexcept {
    return static_cast<int>(call(SYS_prlimit64, pid, resource, as_long(wanted), as_long(had)));
}
int fcntl(int fd, int command, ...) {
    va_list more;
    va_start(more, command);
    const long argument = va_arg(more, long);
    va_end(more);
    return static_cast<int>(call(SYS_fcntl, fd, command, argument));
}
int prctl(int option, ...) noexcept {
    va_list more;
    va_start(more, option);
    long arguments[4];
    for (long& argument : arguments) argument = va_arg(more, long);
    va_end(more);
    return static_cast<int>(call(SYS_prctl, option, arguments[0], arguments[1], arguments[2], arguments[3]));
}
long syscall(long number, ...) noexcept {
    va_list more;
    va_start(more, number);
    long arguments[6];
    for (long& argument : arguments) argument = va_arg(more, long);
    va_end(more);
    return call(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}
void _exit(int code) {
    for (;;) call(SYS_exit_group, code);
}

void abort() noexcept {
    call(SYS_kill, call(SYS_getpid), SIGABRT);
    _exit(128 + SIGABRT);
}

}  // extern "C"

asm(".globl _start\n"
    "_start: xorl %ebp, %ebp\n"
    "mov (%rsp), %rdi\n"
    "lea 8(%rsp), %rsi\n"
    "and $-16, %rsp\n"
    "call main\n"
    "mov %eax, %edi\n"
    "call _exit");
