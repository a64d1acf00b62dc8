// What the unprivileged side and the helper say to each other: fixed-size plain structs over seqpacket sockets, with
// descriptors beside them. The privileged side checks numbers, lengths and character sets here and parses nothing else.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "model/limits.hh"
#include "sandbox/launch.hh"
#include "sys/fd.hh"
#include "sys/socket.hh"

namespace assay::sandbox {

constexpr std::size_t name_bytes_max = 64;
constexpr std::size_t path_bytes_max = 255;
constexpr std::size_t prefix_bytes_max = 1023;
constexpr std::size_t text_bytes_max = 511;
constexpr std::size_t binds_max = 8;
constexpr std::size_t states_max = 16;               // sealed states of one job
constexpr std::size_t files_max = 32;                // of /work, handed back after a command
constexpr std::int64_t file_bytes_max = 16 << 20;    // of one of them
constexpr int guests_max = 4;                        // runs at once that a trusted stage may have
constexpr std::int64_t report_bytes_max = 4 << 20;
constexpr std::int64_t memory_bytes_min = 1 << 20;

// Text of at most N bytes; always ends with a NUL when it came from `set`, never trusted to when it came from a socket.
template <std::size_t N>
struct Text {
    char bytes[N + 1] = {};

    bool set(std::string_view text) {  // false: too long
        if (text.size() > N) return false;
        std::memset(bytes, 0, sizeof bytes);
        std::memcpy(bytes, text.data(), text.size());
        return true;
    }
    void set_cut(std::string_view text) { (void)set(text.substr(0, N)); }
    std::string_view view() const { return {bytes, ::strnlen(bytes, N)}; }
};
using Name = Text<name_bytes_max>;

// To the helper, on the control socket (`connect`, `spawn_role`, `end_commands`) or a client's socket (`open_job`).
struct ToHelper {
    enum class Kind : std::uint32_t { connect = 1, spawn_role, open_job, end_commands };
    Kind kind{};
    std::uint32_t slot = 0;             // open_job, end_commands
    std::int64_t memory_max_bytes = 0;  // open_job
    Name image;                         // open_job: digest of the image its commands see; empty: the host's own folders
    Name argument;                      // spawn_role: argv[1] of the role
};

// From the helper on the control socket: once when it is ready, and once per `spawn_role`.
struct FromHelper {
    std::uint32_t done = 0;             // 0: `text` says why not
    std::int32_t pid = 0;
    Text<text_bytes_max> text;
};

struct BindOrder {
    Text<path_bytes_max> inside;
    std::uint32_t writable = 0;
};

// To a job's keeper. Descriptors of `run`, in this order: [command], [stdin], [submission], [grader], binds; of `open_guest`, which
// counts only while a command with `guests` runs: the guest's job socket, answered there by `opened`.
struct ToKeeper {
    enum class Kind : std::uint32_t { run = 1, kill_output, kill_cancelled, close, open_guest };
    Kind kind{};
    std::uint32_t trusted = 0;
    std::uint32_t compiled = 0;
    std::uint32_t host_network = 0;
    std::uint32_t seal = 0;
    std::uint32_t has_stdin = 0;
    std::uint32_t has_submission = 0;
    std::uint32_t has_grader = 0;
    std::uint32_t binds_count = 0;
    std::uint32_t guests = 0;           // trusted: /assay is there
    std::uint32_t stdin_pipe = 0;       // instead of `has_stdin`: made by the keeper, its writing end comes with `started`
    std::uint32_t files_count = 0;
    std::uint32_t disk_scratch = 0;  // what it writes is kept on the machine's disk
    std::uint32_t taken = 0;  // the sandbox that was offered has been given its command and input: neither is here
    std::int64_t taken_ns = 0;  // when, by the monotonic clock
    model::Limits limits;
    Name stage;
    Name report;
    std::uint32_t again = 0;  // with `seal`: the newest state is this stage's, and goes first
    CommandBlock command;  // only the launcher looks into it
    // From here on only what has files, trees or binds says anything.
    Text<prefix_bytes_max> submission_prefix;  // handed to the fill as it is; nobody else looks into it
    Text<prefix_bytes_max> grader_prefix;
    BindOrder binds[binds_max];
    Text<path_bytes_max>
        files[files_max];  // below /work; opened there by the kernel's rules, looked into by nobody here
};

// From a job's keeper: `opened` once; then per run `started` (descriptors: stdout, stderr, [stdin], [the socket at which /assay/run
// is listened to]) unless it failed before or took an offer, and `finished` (descriptors: [the report], the files that are there).
// `offered`: a sandbox waits for the next command, if that is an untrusted one with nothing unpacked or bound, of this profile and with these
// limits of memory, processes, disk and cores (descriptors: where its launcher takes an Assignment, stdout, stderr). Who takes it tells
// the launcher first and the keeper then; it stands until the next order, whatever that is.
struct FromKeeper {
    enum class Kind : std::uint32_t { opened = 1, started, finished, offered };
    Kind kind{};
    std::uint32_t failed = 0;           // our own failure; `fault` says which
    std::uint32_t image_missing = 0;    // opened: the job's image is not there
    std::uint32_t fill_failed = 0;
    std::uint32_t started = 0;
    std::uint32_t signalled = 0;        // `code` is a signal
    std::int32_t code = 0;
    std::uint32_t cpu_exceeded = 0;
    std::uint32_t wall_exceeded = 0;
    std::uint32_t io_exceeded = 0;
    std::uint32_t oom_killed = 0;
    std::uint32_t processes_hit = 0;
    std::uint32_t disk_full = 0;
    std::uint32_t uid = 0;              // started: of the command, as the machine sees it; `limits` are then what was asked for
    std::uint32_t files_there = 0;      // finished: one bit per file of the order
    std::uint32_t compiled = 0;  // offered
    double cpu_user_ms = 0;
    double cpu_system_ms = 0;
    double wall_ms = 0;
    std::int64_t memory_peak_bytes = 0;
    std::int64_t processes_peak = 0;
    std::int64_t throttled_ns = -1;     // -1 here and below: not known
    std::int64_t memory_stalled_ns = -1;
    std::int64_t memory_file_bytes = -1;
    std::int64_t io_read_bytes = -1;
    std::int64_t io_write_bytes = -1;
    std::int32_t trustworthy_timing = -1;
    model::Limits limits;
    Rlimits rlimits;  // offered: all but open_files
    model::Guarantees guarantees;
    Text<text_bytes_max> fault;

    void say(Kind what, const Result<>& done) {
        kind = what;
        failed = done ? 0 : 1;
        if (!done) fault.set_cut(done.error().text());
    }
};

static_assert(std::is_trivially_copyable_v<ToHelper> && std::is_trivially_copyable_v<FromHelper>);
static_assert(std::is_trivially_copyable_v<ToKeeper> && std::is_trivially_copyable_v<FromKeeper>);

// Without the zeros at its end, which the receiver puts back: a long struct costs what is used of it. Not empty.
ByteView used_part(ByteView message);
// The same for the longest of them, without a look at what it does not use.
ByteView used_part(const ToKeeper&);
ByteView used_part(const Assignment&);
template <class T>
ByteView used_part(const T& message) {
    return used_part(std::as_bytes(std::span{&message, 1}));
}

template <class T>
Result<> send(const sys::Fd& socket, const T& message, std::span<const int> descriptors = {}) {
    static_assert(std::is_trivially_copyable_v<T>);
    return sys::send_message(socket, used_part(message), descriptors);
}

template <class T>
struct Received {
    T message{};
    std::vector<sys::Fd> descriptors;
};
// Into what was there, all of which goes. Errors: unreachable (closed), invalid (larger than T), busy (nothing there, without `waits`).
template <class T>
Result<> receive(const sys::Fd& socket, Received<T>& into, bool waits = true) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto bytes = std::as_writable_bytes(std::span{&into.message, 1});
    ASSAY_TRY(sys::Message raw, sys::receive_message(socket, bytes, waits));
    if (raw.size == 0) return Error{Fault::unreachable, "the other side of the sandbox socket is gone"};
    std::memset(bytes.data() + raw.size, 0, bytes.size() - raw.size);
    into.descriptors = std::move(raw.descriptors);
    return ok;
}
template <class T>
Result<Received<T>> receive(const sys::Fd& socket) {
    Received<T> received;
    ASSAY_CHECK(receive(socket, received));
    return received;
}

// 1..64 of a-z0-9_-
constexpr bool valid_stage(std::string_view name) {
    if (name.empty() || name.size() > name_bytes_max) return false;
    return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == name.npos;
}
// One path component: not empty, no '/', not "." or "..".
constexpr bool valid_component(std::string_view name) {
    return !name.empty() && name.size() <= name_bytes_max && name != "." && name != ".." && name.find('/') == name.npos;
}
// What names an image: 64 lower-case hex digits.
constexpr bool valid_digest(std::string_view digest) {
    return digest.size() == 64 && digest.find_first_not_of("0123456789abcdef") == digest.npos;
}
// Absolute, not "/", no empty, "." or ".." component, no control character.
bool valid_inside(std::string_view path);
// Every number in the range the keeper accepts; errors: invalid, naming the limit.
Result<> check(const model::Limits&);
// The numbers, names and counts of a run order agree with each other and with `descriptors`.
Result<> check(const ToKeeper&, std::size_t descriptors, bool binds_allowed);
// What a guest's keeper takes beyond that: a plain untrusted command that leaves nothing.
Result<> check_guest(const ToKeeper&);
// Relative, no empty, "." or ".." component, no control character.
bool valid_below(std::string_view path);

// What a `finished` says, without what the reader of the streams knows.
model::Outcome outcome_of(const FromKeeper&);

}  // namespace assay::sandbox
