// What a process does at the end of its way into a sandbox, when it has no rights left: limits, a word to its keeper, its command.
// Shared by the privileged side and the launcher (launcher/main.cc), a program of its own; so nothing here needs a library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace assay::sandbox {

// Where a launcher, whose filter is installed already, receives what it shall execute. Closed by exec.
constexpr int assignment_fd = 3;
// And where its filter is held. To free it takes 0.04 ms, which its command's end would otherwise wait for.
constexpr int filter_fd = 4;

// The talk between a keeper and a process on its way into a sandbox: one byte says what, an error carries a text.
namespace say {
constexpr char attached = 'a', ready = 'r', go = 'g', error = 'E';
}
// As much as a word to a keeper may be long; what is beyond is cut off.
class Line {
public:
    void add(std::string_view text);
    std::string_view text() const { return {bytes_, size_}; }

private:
    char bytes_[480];
    std::size_t size_ = 0;
};

void tell(int socket, char what, std::string_view text = {});  // failure is the other side's to notice
[[noreturn]] void give_up(int talk, std::string_view text);
void must(int talk, bool done, const char* call);  // gives up, and says with which errno

constexpr std::uint32_t inside_id = 1000;  // uid and gid that the command sees as its own ("student")

// Descriptors of the namespaces to enter.
struct Ways {
    int init = -1;  // the pidfd of the sandbox's init
    int users = -1;  // user namespace of the slot
    int network = -1;  // -1 = stay
};
// From root, in the sandbox's groups, to a process of the sandbox without any rights: namespaces, identity, session, fixed limits.
void enter_sandbox(int talk, const Ways&);
// From here on no program that is executed gains a capability; those that are held stay. Inherited. false: refused.
bool drop_bounding_set();
bool keep_capabilities();  // over an exec as root, whatever the bounding set will be; must come before that is emptied
bool drop_capabilities();  // all that are held
bool forbid_new_rights();
// What a helper was told to ignore, or a keeper holds back, would stay so for a command.
void listen_to_signals();
// `size` instructions of eight bytes, on the calling thread and for good. Needs no_new_privs. `held`: with a descriptor, where that can be
// had; it is the lowest that was free, closed by exec, and while somebody has it the filter outlasts the process. (It is a
// listener's, for calls that the filter leaves to one; ours leaves none.)
bool install_filter(const std::uint64_t* instructions, std::size_t size, bool held = false);

// Short turns on the processor, which come sooner when others want it too; no larger share. For processes that do little and
// that somebody waits for. Children inherit it. Linux 6.12; before, nothing changes.
void take_short_turns(bool short_ones);
// What the first thread of `pid`, a child that nobody has reaped, has used of its present turn is charged to its groups now, and not when
// the processor it runs on ticks, up to 10 ms later: the kernel settles that before it gives a thread turns of another length, so it gets
// one nanosecond more or less. Needs CAP_SYS_NICE. Linux 6.12; before, nothing happens.
void settle_account(int pid);

struct Rlimits {
    std::int64_t open_files = 256;
    std::int64_t file_bytes = 0;
    std::int64_t stack_bytes = 0;
    std::int64_t processes = 0;  // 0 here and below = not set
    // Only where the host has no such cgroup.
    std::int64_t address_space_bytes = 0;
    std::int64_t cpu_seconds = 0;
};
// Lowers, never raises: for whoever has no rights any more, so that the kernel refuses that. `soft_only` leaves the hard limit as it is.
void lower(int talk, int resource, std::int64_t value, bool soft_only = false);
void lower_limits(int talk, const Rlimits&);

// A command as one block of bytes, made by the client and parsed by the launcher alone:
// counts of arguments and variables (native u32), then each of them and the directory, ended by NUL.
constexpr std::size_t command_bytes_max = 1 << 20;
constexpr std::size_t command_inline_bytes_max = 4 << 10;  // of one that stands in its order
struct Command {
    char** arguments = nullptr;  // ends with nullptr; points into the bytes it was parsed from
    char** environment = nullptr;  // the same
    char* directory = nullptr;
};
// false: damaged, or it has more words than fit. `bytes` and `words`, which takes both lists, must outlive the command.
bool parse_command(std::span<char> bytes, std::span<char*> words, Command&);

// Such a block inside a message.
struct CommandBlock {
    std::uint32_t size = 0;  // 0: it is too long to stand here and comes as a memory file, first of the descriptors
    char bytes[command_inline_bytes_max];
};

// What a launcher waits for first, while it is still root: numbers and a filter that the helper made, nothing that people wrote.
// Descriptors: init's pidfd, user namespace, stdout, stderr, [network namespace].
constexpr std::size_t entry_descriptors_min = 4;
constexpr std::size_t filter_size_max = 1024;  // instructions
struct Entry {
    std::uint32_t has_network = 0;
    std::uint32_t filter_size = 0;
    std::uint64_t filter[filter_size_max];  // sent as far as it is used
};
constexpr std::size_t entry_bytes(std::size_t filter_size) {
    return offsetof(Entry, filter) + filter_size * sizeof(std::uint64_t);
}

// What a launcher waits for then: all that a command has of its own. Descriptors: [the command, where it does not stand here], [its input].
struct Assignment {
    Rlimits rlimits;
    std::uint32_t has_stdin = 0;  // else it reads from /dev/null
    CommandBlock command;
};

}  // namespace assay::sandbox
