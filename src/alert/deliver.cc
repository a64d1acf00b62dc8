#include <fmt/format.h>

#include "alert/receiver.hh"
#include "alert/state.hh"
#include "alert/text.hh"
#include "alert/wire.hh"
#include "sys/child.hh"
#include "sys/file.hh"

namespace assay::alert {
namespace {

Result<> run_command(const Receiver& receiver, const Message& message, const std::string& zone,
                     sys::TimePoint deadline) {
    const Text text = text_of(message, receiver.language, zone);
    const std::string json = to_json(message, text.title, text.body());
    ASSAY_TRY(const sys::Fd input, sys::memory_file("alert", bytes_of(json), true));
    sys::ChildSpec spec{.path = receiver.command.front(),
                        .arguments = {receiver.command.begin() + 1, receiver.command.end()}};
    spec.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"};
    spec.descriptors = {input.get(), -1, -1};
    ASSAY_TRY(sys::Child child, sys::Child::start(spec));
    const auto exit = child.wait_until(deadline);
    if (!exit) {
        std::move(child).kill_and_wait();
        return Error{Fault::timed_out,
                     fmt::format("the command ran longer than {} s and was ended", deliver_ms_max / 1000)};
    }
    if (exit->signalled) return Error{Fault::denied, fmt::format("the command was ended by signal {}", exit->code)};
    if (exit->code != 0) return Error{Fault::denied, fmt::format("the command exited with {}", exit->code)};
    return ok;
}

}  // namespace

Result<> deliver(const Receiver& receiver, const Message& message, const std::string& zone, std::int64_t now_ms) {
    const sys::TimePoint deadline = sys::system_clock().now() + std::chrono::milliseconds{deliver_ms_max};
    switch (receiver.kind) {
        case ReceiverKind::smtp: return send_mail(receiver, mail_for(receiver, message, zone, now_ms), deadline);
        case ReceiverKind::exec: return run_command(receiver, message, zone, deadline);
        default: break;
    }
    ASSAY_TRY(const WebAnswer answer, post(posting_for(receiver, message, zone, now_ms), receiver.ca_file, deadline));
    return judge_answer(receiver.kind, answer.status, answer.body);
}

}  // namespace assay::alert
