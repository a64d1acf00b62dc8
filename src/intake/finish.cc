#include "intake/finish.hh"

#include <utility>

#include "base/log.hh"
#include "base/metrics.hh"

namespace assay::intake {
namespace {

using wording::FormFault;

Refusal no_turn(const NoTurn& why) {
    switch (why.why) {
        case NoTurn::Why::no_room:
            return {.code = model::Refusal::busy, .turn = TurnProblem{wording::TurnFault::no_room, why.own}};
        case NoTurn::Why::too_late:
            return {.code = model::Refusal::busy, .turn = TurnProblem{wording::TurnFault::too_late, why.own}};
        case NoTurn::Why::stopping: break;
    }
    return {.code = model::Refusal::shutting_down};
}

}  // namespace

Refusal differs(FormFault fault, std::string arrived) {
    return {.code = model::Refusal::digest_mismatch, .form = FormProblem{fault, std::move(arrived)}};
}

Refusal no_room_for_bytes() { return {.code = model::Refusal::busy, .turn = TurnProblem{wording::TurnFault::under_way, 0}}; }

Refusal refusal_of(const Error& error, const std::optional<FormProblem>& problem) {
    switch (error.fault()) {
        case Fault::disk_full: return {.code = model::Refusal::disk_full};
        case Fault::busy: return {.code = model::Refusal::busy};
        case Fault::disk_failed: return {.code = model::Refusal::busy};  // Of this upload; another one may well be kept.
        case Fault::interrupted: return {.code = model::Refusal::shutting_down};
        case Fault::invalid:
            return {.code = model::Refusal::missing_field, .form = problem.value_or(FormProblem{FormFault::broken, error.text()})};
        default: return {.code = model::Refusal::internal};
    }
}

void count_upload(std::string_view result, std::int64_t bytes) {
    static metrics::Counter& received = metrics::registry().counter("assay_upload_bytes_total", "Bytes of uploads' bodies that were read.");
    received.add(static_cast<std::uint64_t>(bytes));
    metrics::registry().counter("assay_uploads_total", "Uploads by their result: accepted, repeat, cut, or the code of the refusal.",
                                {{"result", result}}).add();
}

loop::Task<Result<std::expected<Accepted, Refusal>>> finish(Parts& parts, const Entitled& who, Spool& file, const Declared& declared, Arrived arrived,
                                                            const std::string& request_id) {
    using Ending = std::expected<Accepted, Refusal>;
    const sys::TimePoint start_by = sys::system_clock().now() + parts.config.verify_wait_max;
    auto turn = co_await parts.verify_line.turn({who.course.id, who.participant.id}, file.on_disk(), start_by);
    if (!turn) co_return Ending{std::unexpected{no_turn(turn.error())}};
    std::optional<std::string> unlike;
    auto verify = [&, seat = std::move(*turn)]() mutable -> Result<archive::Verdict> {
        const VerifyLine::Seat held = std::move(seat);  // Until it is judged, and no longer.
        ASSAY_TRY(const sys::Fd bytes, file.open_to_read());
        // What was changed on its way is not judged as an archive.
        if (declared.sha256 && file.digest() != *declared.sha256) {
            unlike = file.digest();
            return archive::Verdict{};
        }
        return parts.verifiers.verify(bytes, who.plan->upload, start_by);
    };
    ASSAY_CO_TRY(const archive::Verdict verdict, co_await parts.verifying.run(std::move(verify)));
    if (unlike) co_return Ending{std::unexpected{differs(FormFault::sha256_differs, *unlike)}};
    if (verdict.refused) co_return Ending{std::unexpected{Refusal{.code = verdict.refused->code(), .archive = verdict.refused}}};

    arrived.names_converted = verdict.manifest->names_converted;
    const auto keep = [&] { return std::move(file).keep(); };
    ASSAY_CO_TRY(arrived.sha256, co_await parts.disk.run(keep));

    std::optional<Acceptance> acceptance;
    auto commit = loop::from_callback<Result<>>([&](auto done) {
        parts.store.write(
            [&](store::Tx& tx) -> Result<> {
                ASSAY_TRY(acceptance, accept(tx, parts.keys, parts.plans, who, arrived, parts.server_url));
                return ok;
            },
            std::move(done));
    });
    ASSAY_CO_CHECK(co_await commit);
    if (acceptance->refusal) co_return Ending{std::unexpected{std::move(*acceptance->refusal)}};
    Accepted accepted = std::move(*acceptance->accepted);
    parts.board.changed();
    parts.board.feed().changed({who.course.id, who.module.id, who.participant.id});
    log::info("upload.accepted", {{"submission", accepted.id.text()}, {"bytes", arrived.size}, {"repeat", accepted.repeat ? 1 : 0}, {"request", request_id}});
    co_return Ending{std::move(accepted)};
}

}  // namespace assay::intake
