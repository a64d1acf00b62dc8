// The upload reads top to bottom: announce, stream, check early, verify, keep, commit, answer. Every blocking step runs on a
// pool; the loop thread only moves bytes from the socket to them.
#include "intake/intake.hh"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/log.hh"
#include "http/shed.hh"
#include "intake/accept.hh"
#include "intake/answer.hh"
#include "intake/commit.hh"
#include "intake/finish.hh"
#include "intake/form.hh"
#include "intake/resume.hh"

namespace assay::intake {
namespace {

// What ends an upload early: a refusal for the client, or an error of ours.
using Step = std::optional<Refusal>;

using wording::FormFault;

Refusal form_refusal(FormFault fault, std::string argument = {}) {
    return {.code = model::Refusal::missing_field, .form = FormProblem{fault, std::move(argument)}};
}

// Two doors to the same room: lines of text and pages, or JSON.
enum class Door { plain, api };

class Upload {
public:
    Upload(Parts& parts, Door door, http::Request request, http::Reader& reader)
        : parts_{parts}, door_{door}, request_{std::move(request)}, reader_{reader} {}

    loop::Task<http::Response> run() {
        Result<Step> ended = co_await receive_and_accept();
        if (!ended) {
            const Error& error = ended.error();
            const Refusal refusal = refusal_of(error, form_ ? form_->problem() : std::nullopt);
            const bool left = error.fault() == Fault::unreachable || error.fault() == Fault::timed_out;  // The client's end; http answers.
            if ((refusal.code == model::Refusal::internal && !left) || error.fault() == Fault::disk_failed) {
                log::error("upload.failed", {{"request", request_.id}, {"error", error.text()}});
            }
            count_upload(left ? "cut" : model::to_string(refusal.code), reader_.bytes_read());
            co_return refused(refusal);
        }
        count_upload(*ended ? model::to_string((*ended)->code) : accepted_->repeat ? "repeat" : "accepted", reader_.bytes_read());
        if (*ended) co_return refused(**ended);
        if (door_ == Door::api) co_return created_answer(*accepted_);
        std::string page;
        if (const auto who = sender()) {
            page = fmt::format("/oj/{}/{}/{}", http::percent_encoded(who->course.text()), http::percent_encoded(who->module.text()),
                               http::percent_encoded(who->key));
        }
        co_return accepted_answer(request_, *accepted_, timezone_, page);
    }

private:
    loop::Task<Result<Step>> receive_and_accept() {
        if (parts_.board.draining()) co_return Step{Refusal{.code = model::Refusal::shutting_down}};
        if (parts_.board.refuses_uploads()) co_return Step{Refusal{.code = model::Refusal::busy}};

        auto body = Body::of(request_, door_ == Door::api);
        // A raw body's fields are all in its head: they are looked at before its first byte, and say its limit.
        if (!body || !body->raw()) {
            ASSAY_CO_TRY(const Step large, co_await announced_too_large(parts_.config.form_overhead_max));
            if (large) co_return large;
        }
        if (!body) co_return Step{form_refusal(FormFault::broken, body.error().text())};
        auto key = upload_key_of(request_);
        if (!key) {
            Refusal refusal{.code = model::Refusal::missing_field, .form = key.error()};
            co_return co_await unless_too_large(std::move(refusal), *body);
        }
        arrived_.upload_key = std::move(*key);
        share_.emplace(parts_.budget, http::shedder_of(reader_));
        const std::int64_t first_limit = body->raw() ? std::numeric_limits<std::int64_t>::max() : largest_open_;
        form_.emplace(parts_.spools, parts_.config.field_bytes_max, first_limit, http::shedder_of(reader_));
        ASSAY_CO_CHECK(body->begin(request_, *form_));

        ASSAY_CO_TRY(const Step early, co_await receive(*body));
        if (early) co_return early;
        share_->all_there();
        ASSAY_CO_TRY(const bool whole, body->end(*form_));
        if (const Step missing = missing_field(whole)) co_return missing;
        if (!entitled_) {
            ASSAY_CO_TRY(const Step denied, co_await check_fields());
            if (denied) co_return denied;
        }
        const auto declared = declared_of(request_, form_->fields(), body->raw());
        if (!declared) co_return Step{Refusal{.code = model::Refusal::missing_field, .form = declared.error()}};
        declared_ = *declared;
        arrived_.declared = declared_.sha256 && (body->raw() || form_->declared_first());  // A raw body's is in its header.
        if (const Step size = check_size()) co_return size;
        arrived_.size = form_->file_bytes();
        ASSAY_CO_TRY(auto ending, co_await finish(parts_, *entitled_, form_->file(), declared_, arrived_, request_.id));
        if (!ending) co_return std::move(ending).error();
        accepted_ = std::move(*ending);
        co_return Step{};
    }

    // More than any open module takes, and `overhead` for the form around it.
    loop::Task<Result<Step>> announced_too_large(std::int64_t overhead) {
        const auto find_largest = [this]() -> Result<std::int64_t> {
            ASSAY_CHECK(takes_bytes());
            return largest();
        };
        ASSAY_CO_TRY(largest_open_, co_await parts_.disk.run(find_largest));
        if (!request_.content_length || *request_.content_length <= largest_open_ + overhead) co_return Step{};
        co_return Step{Refusal{.code = model::Refusal::too_large, .limit = largest_open_, .sent = *request_.content_length}};
    }

    // The announced length is judged before all else. Of a raw body that costs a look only where something else is wrong too.
    loop::Task<Result<Step>> unless_too_large(Refusal refusal, const Body& body) {
        if (body.raw() && request_.content_length) {
            ASSAY_CO_TRY(Step large, co_await announced_too_large(0));
            if (large) co_return large;
        }
        co_return Step{std::move(refusal)};
    }

    // Reads the body to its end, or until a refusal is known.
    loop::Task<Result<Step>> receive(Body& body) {
        if (body.raw()) {
            if (Step missing = missing_claim()) co_return co_await unless_too_large(std::move(*missing), body);
            ASSAY_CO_TRY(Step denied, co_await check_fields());
            if (denied) co_return co_await unless_too_large(std::move(*denied), body);
            const std::int64_t limit = largest_open_ = entitled_->plan->upload.size_max;
            if (request_.content_length && *request_.content_length > limit) {
                co_return Step{Refusal{.code = model::Refusal::too_large, .limit = limit, .sent = *request_.content_length}};
            }
        }
        for (;;) {
            if (form_->on_disk()) {
                const bool room = co_await share_->wait();
                if (!room) co_return Step{no_room_for_bytes()};
            }
            ASSAY_CO_TRY(const bool more, co_await feed_some(body));
            if (!more) co_return Step{};
            if (arrived_.first_byte_ms == 0) arrived_.first_byte_ms = sys::to_ms(reader_.last_arrival());
            arrived_.last_byte_ms = sys::to_ms(reader_.last_arrival());

            if (due_to_check_fields()) {
                ASSAY_CO_TRY(const Step denied, co_await check_fields());
                if (denied) co_return denied;
            }
            if (too_much()) co_return check_size();
        }
    }

    // The next bytes into the form: on the loop as long as they stay in memory, where they go to the disk as many as are there.
    loop::Task<Result<bool>> feed_some(Body& body) {
        if (form_->on_disk()) {
            http::Reader::Sink feed = [this, &body](std::span<const std::byte> bytes) -> Result<bool> {
                share_->add(std::ssize(bytes));
                ASSAY_CHECK(body.feed(bytes, *form_));
                return !due_to_check_fields() && !too_much() && share_->room();
            };
            co_return co_await reader_.pump(parts_.receiving, std::move(feed));
        }
        ASSAY_CO_TRY(const std::span<const std::byte> bytes, co_await reader_.next());
        if (bytes.empty()) co_return false;
        share_->add(std::ssize(bytes));
        const auto feed = [&] { return body.feed(bytes, *form_); };
        if (form_->stays_in_memory(bytes.size())) ASSAY_CO_CHECK(feed());
        else ASSAY_CO_CHECK(co_await parts_.disk.run(feed));
        co_return true;
    }

    bool due_to_check_fields() const { return form_->claim_complete() && !entitled_; }
    // With an announced length the rest is read, bounded, so that the size can be told exactly.
    bool too_much() const {
        return (form_->file_too_large() && !request_.content_length && entitled_) ||
               form_->file_bytes() > largest_open_ + parts_.config.form_overhead_max;
    }

    static Step missing(const char* name) { return form_refusal(FormFault::field_missing, name); }

    Step missing_claim() const {
        const Fields& fields = form_->fields();
        if (!fields.token || fields.token->empty()) return missing("token");
        if (!fields.course || fields.course->empty()) return missing("course");
        if (!fields.module || fields.module->empty()) return missing("module");
        return {};
    }

    Step missing_field(bool whole) const {
        if (const Step claim = missing_claim()) return claim;
        if (!form_->file_begun()) return missing("file");
        if (!whole) return form_refusal(FormFault::cut);
        return {};
    }

    loop::Task<Result<Step>> check_fields() {
        const auto check = [this]() -> Result<Entitlement> {
            ASSAY_CHECK(takes_bytes());
            std::optional<Entitlement> found;
            const Fields& fields = form_->fields();
            const Claim claim{*fields.token, *fields.course, *fields.module, arrived_.upload_key};
            ASSAY_CHECK(parts_.store.read([&](store::Reading& reading) -> Result<> {
                ASSAY_TRY(found, entitle(reading, parts_.keys, parts_.plans, claim, sys::to_ms(parts_.clock.wall())));
                return ok;
            }));
            return std::move(*found);
        };
        ASSAY_CO_TRY(Entitlement found, co_await parts_.disk.run(check));
        timezone_ = found.timezone;
        if (found.refusal) co_return found.refusal;
        entitled_ = std::move(found.entitled);
        form_->limit_file(entitled_->plan->upload.size_max);
        co_return Step{};
    }

    Step check_size() const {
        const std::int64_t limit = entitled_ ? entitled_->plan->upload.size_max : largest_open_;
        if (form_->file_bytes() > limit) {
            return Refusal{.code = model::Refusal::too_large, .limit = limit, .sent = form_->file_bytes(),
                           .at_least = !form_->file_complete()};
        }
        if (form_->file_complete() && form_->file_bytes() == 0) return Refusal{.code = model::Refusal::empty};
        if (declared_.size && *declared_.size != form_->file_bytes()) {
            return differs(FormFault::size_differs, std::to_string(form_->file_bytes()));
        }
        return {};
    }

    http::Response refused(const Refusal& refusal) const {
        if (door_ == Door::api) return problem_answer(request_, refusal);
        return refused_answer(request_, refusal, parts_.refusal_page, sender());
    }

    std::optional<Sender> sender() const {
        if (!entitled_) return std::nullopt;
        auto key = parts_.keys.unseal(entitled_->participant.key_sealed);
        if (!key) return std::nullopt;
        return Sender{entitled_->course.id, entitled_->module.id, std::move(key).value()};
    }

    Result<> takes_bytes() const {
        if (const auto why = parts_.store.read_only()) return Error{Fault::busy, *why};
        if (parts_.space.look().level != store::Space::Level::ample) return store::Space::full();
        return ok;
    }

    Result<std::int64_t> largest() {
        std::int64_t found = 0;
        ASSAY_CHECK(parts_.store.read([&](store::Reading& reading) -> Result<> {
            ASSAY_TRY(found, largest_open(reading, parts_.plans, sys::to_ms(parts_.clock.wall()), parts_.config.size_max_default));
            return ok;
        }));
        return found;
    }

    Parts& parts_;
    const Door door_;
    http::Request request_;
    http::Reader& reader_;
    std::int64_t largest_open_ = 0;
    std::optional<Budget::Share> share_;
    std::optional<Form> form_;
    std::optional<Entitled> entitled_;
    std::string timezone_ = "UTC";
    Declared declared_;
    Arrived arrived_;
    std::optional<Accepted> accepted_;
};

loop::Task<http::Response> upload(Parts& parts, Door door, http::Request request, http::Reader& reader) {
    Upload work{parts, door, std::move(request), reader};
    co_return co_await work.run();
}

http::Response secret_refused(const http::Request& request, const RefusalPage& page) {
    const Refusal refusal = form_refusal(FormFault::token_in_address);
    count_upload(model::to_string(refusal.code), 0);
    return refused_answer(request, refusal, page);
}

loop::Task<http::Response> wrong_method(Door door, http::Request request) {
    const Refusal refusal{.code = model::Refusal::method};
    co_return door == Door::api ? problem_answer(request, refusal) : refused_answer(request, refusal);
}

}  // namespace

void add_routes(http::Router& router, Parts& parts) {
    const struct {
        Door door;
        const char* pattern;
    } doors[] = {{Door::plain, "/upload"}, {Door::api, "/api/v1/submissions"}};
    for (const auto& [door, pattern] : doors) {
        router.add("POST", pattern, [&parts, door](http::Request request, http::Reader& reader) {
            return upload(parts, door, std::move(request), reader);
        });
        router.add("*", pattern, [door](http::Request request, http::Reader&) { return wrong_method(door, std::move(request)); });
    }
    // Below /api it is a problem like any other there.
    router.keep("/upload", {.secret = [&parts](const http::Request& request) { return secret_refused(request, parts.refusal_page); }, .unknown = {}});
    add_resumable_routes(router, parts);
    add_commitment_routes(router, parts);
}

}  // namespace assay::intake
