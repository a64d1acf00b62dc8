// The launcher's program: begins as root, enters the sandbox, gives up all rights, and waits for what it shall execute. Its few
// pages, and no library's, are all that has to go when it does; the privileged side has it as bytes (program.cc).
//
// Fd 3 is its talk: it receives an Entry and enters, says `ready`, receives an Assignment, and executes. What cannot be executed
// ends like in a shell: a line on stderr, exit 127 (not found) or 126.
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sandbox/launch.hh"

namespace assay::sandbox {
namespace {

constexpr int talk = assignment_fd;
constexpr int exit_not_found = 127;
constexpr int exit_not_executable = 126;
constexpr std::size_t passed_max = 5;

Entry entry;
Assignment assignment;
int passed[passed_max];
char* words[command_inline_bytes_max];  // of a command that stands in its assignment

struct Path {
    bool add(std::string_view part) {  // false: too long
        if (part.size() >= sizeof text - size) return false;
        std::memcpy(text + size, part.data(), part.size());
        size += part.size();
        text[size] = '\0';
        return true;
    }
    char text[PATH_MAX];
    std::size_t size;
} tried;

// A page's first write takes a fault of the kernel's; of what an assignment comes to lie in they are taken before one is waited for.
void touch_ahead() {
    for (void* const place : {static_cast<void*>(&assignment), static_cast<void*>(words), static_cast<void*>(&tried), static_cast<void*>(&tried.size)})
        *static_cast<volatile char*>(place) = 0;
}

struct Received {
    std::size_t bytes = 0;
    std::size_t descriptors = 0;  // in `passed`
};

// A keeper that says nothing is gone, or does not need us any more.
Received receive(void* to, std::size_t size) {
    iovec part{to, size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof passed)];
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const ssize_t n = ::recvmsg(talk, &header, MSG_CMSG_CLOEXEC);
    if (n <= 0) ::_exit(1);
    Received received{.bytes = static_cast<std::size_t>(n)};
    const cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    if (rights == nullptr) return received;
    const std::size_t bytes = rights->cmsg_len - CMSG_LEN(0);
    std::memcpy(passed, CMSG_DATA(rights), bytes);
    received.descriptors = bytes / sizeof(int);
    return received;
}

void enter() {
    const Received received = receive(&entry, sizeof entry);
    const std::size_t size = entry.filter_size;
    if (size > filter_size_max || received.bytes != entry_bytes(size) ||
        received.descriptors != entry_descriptors_min + (entry.has_network != 0))
        give_up(talk, "the order to enter is damaged");
    enter_sandbox(talk, {.init = passed[0], .users = passed[1], .network = entry.has_network != 0 ? passed[4] : -1});
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    must(talk, null >= 0, "open(null device)");
    const int streams[] = {null, passed[2], passed[3]};
    for (int target = 0; target < 3; ++target) must(talk, ::dup2(streams[target], target) >= 0, "dup2");
    must(talk, ::syscall(SYS_close_range, talk + 1, ~0U, 0) == 0, "close_range");
    must(talk, ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "prctl(PR_SET_DUMPABLE)");
    must(talk, install_filter(entry.filter, size, true), "seccomp");  // at `filter_fd`: there is none behind the talk
}

void* mapped(std::size_t size, int file) {
    void* const place =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | (file < 0 ? MAP_ANONYMOUS : 0), file, 0);
    must(talk, place != MAP_FAILED, "mmap");
    return place;
}

std::span<char> content_of(int file) {
    struct stat info{};
    must(talk, ::fstat(file, &info) == 0, "fstat");
    const auto size = static_cast<std::size_t>(info.st_size);
    if (!S_ISREG(info.st_mode) || size > command_bytes_max) give_up(talk, "the command is longer than 1 MiB");
    return {static_cast<char*>(mapped(size, file)), size};
}

[[noreturn]] void refuse(const char* what, int failure) {
    Line line;
    for (const char* const part : {what, ": ", ::strerrordesc_np(failure), "\n"}) line.add(part);
    (void)!::write(STDERR_FILENO, line.text().data(), line.text().size());
    ::_exit(failure == ENOENT || failure == ENOTDIR ? exit_not_found : exit_not_executable);
}

// Looked up like a shell does, but a file without a known format is not handed to a shell.
[[noreturn]] void execute(const Command& command) {
    char* const name = command.arguments[0];
    if (std::string_view{name}.contains('/')) {
        ::execve(name, command.arguments, command.environment);
        refuse(name, errno);
    }
    std::string_view path = "/usr/local/bin:/usr/bin:/bin";
    for (char** variable = command.environment; *variable != nullptr; ++variable) {
        if (std::strncmp(*variable, "PATH=", 5) == 0) path = *variable + 5;
    }
    int failure = ENOENT;
    for (bool last = false; !last;) {
        const std::size_t end = path.find(':');
        last = end == path.npos;
        const std::string_view directory = end == 0 || path.empty() ? "." : path.substr(0, end);
        tried.size = 0;
        if (!tried.add(directory) || !tried.add("/") || !tried.add(name)) errno = ENAMETOOLONG;
        else ::execve(tried.text, command.arguments, command.environment);
        if (errno != ENOENT && errno != ENOTDIR) failure = errno;
        if (!last) path.remove_prefix(end + 1);
    }
    refuse(name, failure);
}

[[noreturn]] void launch() {
    must(talk, ::fcntl(talk, F_SETFD, FD_CLOEXEC) == 0, "fcntl");
    take_short_turns(false);  // Some filters would not let it later.
    enter();
    touch_ahead();
    tell(talk, say::ready);

    const std::size_t count = receive(&assignment, sizeof assignment).descriptors;
    CommandBlock& block = assignment.command;
    if (block.size > sizeof block.bytes || count != std::size_t{block.size == 0} + (assignment.has_stdin != 0))
        give_up(talk, "an assignment lacks descriptors");
    std::span<char> bytes{block.bytes, block.size};
    std::span<char*> room{words};
    if (block.size == 0) {
        bytes = content_of(passed[0]);
        room = {static_cast<char**>(mapped(bytes.size() * sizeof(char*), -1)), bytes.size()};
    }
    Command command;
    if (!parse_command(bytes, room, command)) give_up(talk, "the command's block is damaged");
    if (assignment.has_stdin != 0) must(talk, ::dup2(passed[count - 1], STDIN_FILENO) >= 0, "dup2");
    lower_limits(talk, assignment.rlimits);
    if (::chdir(command.directory) != 0) refuse(command.directory, errno);
    execute(command);
}

}  // namespace
}  // namespace assay::sandbox

int main() { assay::sandbox::launch(); }
