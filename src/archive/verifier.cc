// The confined verifier, both sides. The parent writes the rules as one line of JSON and reads the answer to its end; the child
// gives up its rights, reads the rules, verifies, answers and exits. It never waits for anything but that socket.
#include <array>
#include <csignal>
#include <cstdlib>
#include <new>

#include <fmt/format.h>

#include "archive/archive.hh"
#include "archive/tree.hh"
#include "archive/verify.hh"
#include "sys/child.hh"
#include "sys/clock.hh"
#include "sys/confine.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/socket.hh"

namespace assay::archive {
namespace {

constexpr int archive_fd = 3;
constexpr int socket_fd = 4;
constexpr std::size_t rules_bytes_max = 1u << 20;
constexpr int exit_out_of_memory = 3;

Result<std::string> read_rules(const sys::Fd& socket) {
    std::string text;
    std::array<std::byte, 4096> part;
    while (!text.ends_with('\n')) {
        ASSAY_TRY(const std::size_t count, sys::read_some(socket, part));
        if (count == 0) return Error{Fault::unreachable, "the server is gone"};
        text += text_of(ByteView{part}.first(count));
        if (text.size() > rules_bytes_max) return Error{Fault::too_large, "upload rules that are too large"};
    }
    return text;
}

Verdict ended_by(ArchiveFault fault, std::string limit) {
    return {.manifest = {}, .refused = Refused{.fault = fault, .arguments = {std::move(limit)}}};
}

// Of this process now, in bytes.
Result<std::int64_t> address_space() {
    constexpr std::int64_t page_bytes = 4096;
    ASSAY_TRY(const std::string text, sys::read_file("/proc/self/statm", 4096));
    return std::strtoll(text.c_str(), nullptr, 10) * page_bytes;
}

Result<Verdict> verify_under_rules(const sys::Fd& archive, const sys::Fd& socket) {
    prepare_collision_keys();
    prepare_name_encodings();
    ASSAY_CHECK(sys::forbid_tracing());
    ASSAY_TRY(const sys::FileInfo info, sys::info_of(archive));
    ASSAY_TRY(const std::int64_t memory, address_space());
    ASSAY_CHECK(sys::confine_parser({.cpu_ms = verifier_cpu_max_ms(info.size), .memory_bytes = memory + verifier_memory_max}));
    ASSAY_TRY(const std::string text, read_rules(socket));
    ASSAY_TRY(const model::UploadRules rules, model::upload_rules_from_json(text));
    auto verdict = verify(archive, rules);
    // The libraries of C say it; memory of C++ that is not there ends the process.
    if (!verdict && verdict.error().fault() == Fault::busy) return ended_by(ArchiveFault::reading_memory, size_text(verifier_memory_max));
    return verdict;
}

// What a child that gave no answer died of.
Result<Verdict> judge(const sys::Exit& exit, std::int64_t cpu_max_ms) {
    if (!exit.signalled && exit.code == exit_out_of_memory) return ended_by(ArchiveFault::reading_memory, size_text(verifier_memory_max));
    if (!exit.signalled) return Error{Fault::internal, fmt::format("the verifier exited with {} and gave no answer", exit.code)};
    if (exit.code == SIGPROF || exit.code == SIGXCPU || exit.code == SIGKILL) {
        return ended_by(ArchiveFault::reading_time, fmt::format("{:.1f}", static_cast<double>(cpu_max_ms) / 1000));
    }
    return ended_by(ArchiveFault::reading_crashed, std::to_string(exit.code));
}

}  // namespace

int verifier_main() {
    sys::ignore_stop_signals();
    std::set_new_handler([] { std::_Exit(exit_out_of_memory); });
    const sys::Fd archive{archive_fd};
    const sys::Fd socket{socket_fd};
    std::string answer = answer_to_json(verify_under_rules(archive, socket));
    if (answer.size() > answer_bytes_max) {
        Verdict verdict;
        verdict.refused = Refused{.fault = ArchiveFault::names_too_large};
        answer = answer_to_json(verdict);
    }
    const auto sent = sys::write_all(socket, std::string_view{answer});
    std::_Exit(sent ? 0 : 1);
}

Result<Verdict> verify_confined(const sys::Fd& archive, const model::UploadRules& rules) {
    const sys::TimePoint deadline = sys::system_clock().now() + std::chrono::milliseconds{verifier_wall_max_ms};
    ASSAY_TRY(const sys::FileInfo info, sys::info_of(archive));
    ASSAY_TRY(auto pair, sys::socket_pair(sys::PairKind::stream));
    auto [ours, theirs] = std::move(pair);
    sys::ChildSpec spec;
    spec.arguments = {"verifier"};
    spec.descriptors = {-1, -1, 2, archive.get(), theirs.get()};
    ASSAY_TRY(sys::Child child, sys::Child::start(spec));
    theirs.reset();

    // A child that died already makes this fail; what it died of is judged below. Small enough to fit the socket's buffer.
    if (const auto sent = sys::write_all(ours, model::to_json(rules) + "\n"); !sent && sent.error().fault() != Fault::unreachable) return sent.error();

    std::string answer;
    std::array<std::byte, 64 * 1024> part;
    for (;;) {
        ASSAY_TRY(const bool ready, sys::wait_readable(ours, deadline));
        if (!ready) return ended_by(ArchiveFault::reading_time, std::to_string(verifier_wall_max_ms / 1000));  // The child's destructor ends it.
        auto count = sys::read_some(ours, part);
        if (!count && count.error().fault() != Fault::unreachable) return count.take_error();
        if (!count || *count == 0) break;
        answer += text_of(ByteView{part}.first(*count));
        if (answer.size() > answer_bytes_max) return Error{Fault::internal, "the verifier's answer is too long"};
    }
    const auto exit = child.wait_until(deadline);
    if (!exit) return Error{Fault::internal, "the verifier closed its socket and did not end"};
    if (answer.empty()) return judge(*exit, verifier_cpu_max_ms(info.size));
    return answer_from_json(answer);
}

}  // namespace assay::archive
