// The confined side: gives up its rights, then reads rules and judges, archive after archive, and never waits for anything but
// the socket. What travels is a line of JSON each way; the archive's descriptor comes with the line's beginning.
#include <malloc.h>

#include <array>
#include <cstdlib>
#include <new>

#include "archive/tree.hh"
#include "archive/verifiers.hh"
#include "archive/verify.hh"
#include "sys/confine.hh"
#include "sys/file.hh"
#include "sys/hangup.hh"
#include "sys/process.hh"
#include "sys/socket.hh"

namespace assay::archive {
namespace {

constexpr int socket_fd = 3;
constexpr int lifeline_fd = 4;
constexpr std::size_t idle_bytes_max = 1u << 20;  // free and not given back: getting it anew for each small archive costs more than judging it
constexpr int archive_fd = 5;  // where each archive arrives: the lowest number that is free

struct Request {
    sys::Fd archive;
    std::string rules;
};

// nullopt: nobody sends any more.
Result<std::optional<Request>> next_request(const sys::Fd& socket) {
    std::array<std::byte, request_head_bytes_max> part;
    ASSAY_TRY(sys::Message first, sys::receive_message(socket, part));
    if (first.size == 0) return std::optional<Request>{};
    if (first.descriptors.size() != 1) return Error{Fault::internal, "rules came without an archive"};
    Request request{std::move(first.descriptors.front()), std::string{text_of(ByteView{part}.first(first.size))}};
    while (!request.rules.ends_with('\n')) {
        ASSAY_TRY(const std::size_t count, sys::read_some(socket, part));
        if (count == 0) return std::optional<Request>{};
        request.rules += text_of(ByteView{part}.first(count));
        if (request.rules.size() > rules_bytes_max) return Error{Fault::internal, "rules that are too long"};
    }
    return std::optional{std::move(request)};
}

// Of this process now, in bytes.
Result<std::int64_t> address_space() {
    constexpr std::int64_t page_bytes = 4096;
    ASSAY_TRY(const std::string text, sys::read_file("/proc/self/statm", 4096));
    return std::strtoll(text.c_str(), nullptr, 10) * page_bytes;
}

Result<> give_up_rights(const sys::Fd& lifeline) {
    ASSAY_CHECK(sys::die_with_writer_of(lifeline));
    prepare_name_encodings();
    ASSAY_CHECK(sys::forbid_tracing());
    ASSAY_TRY(const std::int64_t memory, address_space());
    return sys::confine_parser({.memory_bytes = memory + verifier_memory_max, .passed_fd = archive_fd});
}

// As a rule one archive after the other is for the same module.
struct Known {
    std::string text;
    model::UploadRules rules;
};

Result<Verdict> judge_request(const Request& request, Judge judge, Known& known) {
    if (request.rules != known.text) {
        ASSAY_TRY(known.rules, model::upload_rules_from_json(request.rules));
        known.text = request.rules;
    }
    auto verdict = judge(request.archive, known.rules);
    // The libraries of C say it; memory of C++ that is not there ends the process.
    if (!verdict && verdict.error().fault() == Fault::busy) return out_of_memory();
    return verdict;
}

}  // namespace

int verifier_main(Judge judge) {
    sys::ignore_stop_signals();
    std::set_new_handler([] { std::_Exit(exit_out_of_memory); });
    const sys::Fd socket{socket_fd};
    const sys::Fd lifeline{lifeline_fd};
    const auto confined = give_up_rights(lifeline);
    Known known;
    for (;;) {
        auto request = next_request(socket);
        if (!request) std::_Exit(exit_misunderstood);
        if (!*request) std::_Exit(0);
        // With its rights it reads no archive.
        const auto verdict = confined ? judge_request(**request, judge, known) : Result<Verdict>{confined.error()};
        request->reset();  // The archive is closed before another one can come.
        if (!sys::write_all(socket, answer_to_json(verdict) + "\n")) std::_Exit(0);
        if (::mallinfo2().fordblks > idle_bytes_max) ::malloc_trim(0);  // Idle, it holds little memory of what it judged.
    }
}

}  // namespace assay::archive
