#include "sandbox/launch.hh"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace assay::sandbox {

void Line::add(std::string_view text) {
    const std::size_t size = std::min(text.size(), sizeof bytes_ - size_);
    std::memcpy(bytes_ + size_, text.data(), size);
    size_ += size;
}

void tell(int socket, char what, std::string_view text) {
    Line line;
    line.add({&what, 1});
    line.add(text);
    (void)!::write(socket, line.text().data(), line.text().size());
}

void give_up(int talk, std::string_view text) {
    tell(talk, say::error, text);
    ::_exit(1);
}

void must(int talk, bool done, const char* call) {
    if (done) return;
    Line line;
    line.add(call);
    line.add("(on the way into the sandbox): ");
    line.add(::strerrordesc_np(errno));
    give_up(talk, line.text());
}

void take_short_turns(bool short_ones) {
    constexpr std::uint64_t short_ns = 100'000;
    struct {  // The kernel's sched_attr, in its first version: the C library has none.
        std::uint32_t size = 48;
        std::uint32_t policy = 0;
        std::uint64_t flags = 0;
        std::int32_t nice = 0;
        std::uint32_t priority = 0;
        std::uint64_t runtime = 0;
        std::uint64_t deadline = 0;
        std::uint64_t period = 0;
    } attributes;
    if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
    attributes.size = sizeof attributes;
    attributes.runtime = short_ones ? short_ns : 0;
    (void)::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void lower(int talk, int resource, std::int64_t value, bool soft_only) {
    rlimit limit{};
    must(talk, ::prlimit(0, static_cast<__rlimit_resource>(resource), nullptr, &limit) == 0, "getrlimit");
    const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, static_cast<rlim_t>(value));
    limit.rlim_cur = wanted;
    if (!soft_only) limit.rlim_max = wanted;
    must(talk, ::prlimit(0, static_cast<__rlimit_resource>(resource), &limit, nullptr) == 0, "setrlimit");
}

void lower_limits(int talk, const Rlimits& limits) {
    lower(talk, RLIMIT_NOFILE, limits.open_files);
    lower(talk, RLIMIT_FSIZE, limits.file_bytes);
    lower(talk, RLIMIT_STACK, limits.stack_bytes, true);
    if (limits.address_space_bytes > 0) lower(talk, RLIMIT_AS, limits.address_space_bytes);
    if (limits.processes > 0) lower(talk, RLIMIT_NPROC, limits.processes);
    if (limits.cpu_seconds > 0) lower(talk, RLIMIT_CPU, limits.cpu_seconds);
}

bool parse_command(std::span<char> bytes, std::span<char*> words, Command& command) {
    std::uint32_t counts[2];
    if (bytes.size() < sizeof counts || bytes.back() != '\0') return false;
    std::memcpy(counts, bytes.data(), sizeof counts);
    if (counts[0] < 1 || std::size_t{counts[0]} + counts[1] + 2 > words.size()) return false;

    char* next = bytes.data() + sizeof counts;
    const char* const end = bytes.data() + bytes.size();
    char** to = words.data();
    for (const std::uint32_t count : counts) {
        for (std::uint32_t i = 0; i < count; ++i) {
            if (next == end) return false;
            *to++ = next;
            next += std::strlen(next) + 1;  // A NUL is there: the last byte is one.
        }
        *to++ = nullptr;
    }
    command = {.arguments = words.data(), .environment = words.data() + counts[0] + 1, .directory = next};
    return next != end && next + std::strlen(next) + 1 == end;
}

}  // namespace assay::sandbox
