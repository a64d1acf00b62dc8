#include "intake/resume.hh"

#include <algorithm>
#include <variant>

#include <nlohmann/json.hpp>

#include "base/log.hh"
#include "course/identity.hh"
#include "http/shed.hh"
#include "intake/answer.hh"
#include "intake/body.hh"
#include "intake/finish.hh"
#include "intake/tus.hh"
#include "sys/file.hh"
#include "sys/sha1.hh"
#include "sys/sha256.hh"

namespace assay::intake {
namespace {

using namespace std::chrono_literals;
using wording::FormFault;

constexpr auto hand_over_max = 5s;                     // for a request that was asked to let go of an upload
constexpr std::size_t copy_bytes = 256u << 10;
constexpr std::int64_t copied_in_a_row_max = 8 << 20;  // then the pool's other work gets its turn

http::Response problem_of(const tus::Wrong& wrong, std::string_view code = "protocol") {
    return tus::marked(http::problem(wrong.status, code, wrong.text, "see docs/formats/http.md, \"In parts\""));
}

// The sum of one part, as its client counted it.
class Sum {
public:
    explicit Sum(const std::optional<tus::Checksum>& wanted) : wanted_{wanted} {
        if (wanted_ && wanted_->algorithm == tus::Algorithm::sha1) sum_.emplace<sys::Sha1>();
        if (wanted_ && wanted_->algorithm == tus::Algorithm::sha256) sum_.emplace<sys::Sha256>();
    }
    void add(ByteView bytes) {
        if (auto* const sha1 = std::get_if<sys::Sha1>(&sum_)) sha1->add(bytes);
        if (auto* const sha256 = std::get_if<sys::Sha256>(&sum_)) sha256->add(bytes);
    }
    bool right() && {
        if (auto* const sha1 = std::get_if<sys::Sha1>(&sum_)) return std::move(*sha1).digest() == wanted_->digest;
        if (auto* const sha256 = std::get_if<sys::Sha256>(&sum_)) return std::move(*sha256).hex() == to_hex(bytes_of(wanted_->digest));
        return true;
    }
    bool wanted() const { return wanted_.has_value(); }

private:
    const std::optional<tus::Checksum>& wanted_;
    std::variant<std::monostate, sys::Sha1, sys::Sha256> sum_;
};

class Resumable {
public:
    Resumable(Parts& parts, http::Request request, http::Reader& reader) : parts_{parts}, request_{std::move(request)}, reader_{reader} {}

    loop::Task<http::Response> create() {
        if (const auto wrong = tus::version_wrong(request_)) co_return problem_of(*wrong);
        if (parts_.board.draining()) co_return refused({.code = model::Refusal::shutting_down});
        if (parts_.board.refuses_uploads()) co_return refused({.code = model::Refusal::busy});  // What was begun goes on.
        const auto creation = tus::creation_of(request_);
        if (!creation) co_return problem_of(creation.error());
        const auto token = http::bearer_token(request_);
        for (const auto& [name, there] : {std::pair{"token", token && !token->empty()}, {"course", !creation->course.empty()}, {"module", !creation->module.empty()}}) {
            if (!there) co_return refused({.code = model::Refusal::missing_field, .form = FormProblem{FormFault::field_missing, name}});
        }
        auto key = upload_key_of(request_);
        if (!key) co_return refused({.code = model::Refusal::missing_field, .form = key.error()});
        const auto declared = declared_of(request_, {.token = {}, .course = {}, .module = {}, .sha256 = text_or_none(creation->sha256), .size = {}}, false);
        if (!declared) co_return refused({.code = model::Refusal::missing_field, .form = declared.error()});

        if (auto denied = co_await entitle_at({*token, creation->course, creation->module, *key}, now_ms())) co_return std::move(*denied);
        const std::int64_t limit = entitled_->plan->upload.size_max;
        if (creation->length > limit) co_return refused({.code = model::Refusal::too_large, .limit = limit, .sent = creation->length});
        if (creation->length == 0) co_return refused({.code = model::Refusal::empty});
        const auto make = [&]() -> Result<store::Partial> {
            if (const auto why = parts_.store.read_only()) return Error{Fault::busy, *why};
            if (parts_.space.look().level != store::Space::Level::ample) return store::Space::full();
            return parts_.partials.create({.id = {}, .course = entitled_->course.id, .module = entitled_->module.id, .participant = entitled_->participant.id,
                                           .length = creation->length, .sha256 = declared->sha256.value_or(""), .key = *key}, now_ms());
        };
        auto made = co_await parts_.disk.run(make);
        if (!made) co_return failed(made.error());
        http::Response answer{.status = 201, .headers = {}, .body = {}};
        if (creation->with_upload) {
            const auto part = tus::part_of(request_, true);
            if (!part) co_return problem_of(part.error());
            auto brought = co_await bring(made->id, *part);
            if (brought.status != 204) co_return brought.with("Location", std::string{tus::upload_path} + made->id);
            made = *parts_.partials.find(made->id, now_ms());
        }
        co_return tus::marked(std::move(answer), *made).with("Location", std::string{tus::upload_path} + made->id);
    }

    loop::Task<http::Response> one() {
        const std::string method = tus::method_of(request_);
        if (const auto wrong = tus::version_wrong(request_)) co_return problem_of(*wrong);
        if (parts_.board.draining() && method != "GET" && method != "HEAD") co_return refused({.code = model::Refusal::shutting_down});
        const std::string& id = request_.captures[0];
        const auto partial = parts_.partials.find(id, now_ms());
        const auto own = co_await is_own(partial);
        if (!own) co_return failed(own.error());
        if (!*own) co_return unknown();
        if (method == "GET" || method == "HEAD") co_return status(*partial);
        if (method == "DELETE") co_return co_await remove(id);
        if (method != "PATCH") co_return tus::marked(http::problem(405, "method", "this address does not take this method", "use HEAD, GET, PATCH or DELETE").with("Allow", "DELETE, GET, HEAD, OPTIONS, PATCH, POST"));
        const auto part = tus::part_of(request_, false);
        if (!part) co_return problem_of(part.error());
        co_return co_await bring(id, *part);
    }

private:
    std::int64_t now_ms() const { return sys::to_ms(parts_.clock.wall()); }
    static std::optional<std::string> text_or_none(const std::string& text) { return text.empty() ? std::nullopt : std::optional{text}; }
    static http::Response unknown() { return tus::marked(http::problem(404, "unknown_upload", "there is no such upload, or it has expired, or the token is not its own", "begin a new one")); }

    http::Response refused(const Refusal& refusal) {
        count_upload(model::to_string(refusal.code), reader_.bytes_read());
        return tus::marked(problem_answer(request_, refusal));
    }

    http::Response failed(const Error& error) {
        const Refusal refusal = refusal_of(error, std::nullopt);
        const bool left = error.fault() == Fault::unreachable || error.fault() == Fault::timed_out;
        if ((refusal.code == model::Refusal::internal && !left) || error.fault() == Fault::disk_failed) {
            log::error("upload.failed", {{"request", request_.id}, {"error", error.text()}});
        }
        if (!left) return refused(refusal);
        count_upload("cut", reader_.bytes_read());
        return tus::marked(http::problem_of(error));
    }

    loop::Task<std::optional<http::Response>> entitle_at(Claim claim, std::int64_t at_ms) {
        const auto check = [&]() -> Result<Entitlement> {
            std::optional<Entitlement> found;
            ASSAY_CHECK(parts_.store.read([&](store::Reading& reading) -> Result<> {
                ASSAY_TRY(found, entitle(reading, parts_.keys, parts_.plans, claim, at_ms));
                return ok;
            }));
            return std::move(*found);
        };
        auto found = co_await parts_.disk.run(check);
        if (!found) co_return failed(found.error());
        if (found->refusal) co_return refused(*found->refusal);
        entitled_ = std::move(found->entitled);
        co_return std::nullopt;
    }

    loop::Task<Result<bool>> is_own(const std::optional<store::Partial>& partial) {
        const auto token = http::bearer_token(request_);
        if (!partial || !token) co_return false;
        const auto look = [&]() -> Result<bool> {
            bool own = false;
            ASSAY_CHECK(parts_.store.read([&](store::Reading& reading) -> Result<> {
                ASSAY_TRY(const auto people, course::who(reading, parts_.keys, *token));
                own = std::ranges::any_of(people, [&](const store::Participant& one) { return one.active && one.course == partial->course && one.id == partial->participant; });
                return ok;
            }));
            return own;
        };
        co_return co_await parts_.disk.run(look);
    }

    http::Response status(const store::Partial& partial) const {
        nlohmann::json json{{"id", partial.id}, {"course", partial.course.text()}, {"module", partial.module.text()}, {"length", partial.length}, {"offset", partial.offset}};
        if (partial.submission) json["submission"] = partial.submission->text();
        return tus::marked(http::Response::json(200, json.dump()), partial);
    }

    // The sole use of it. Whoever has it is asked to let go: a connection that was lost may hold on to it for long.
    loop::Task<Result<store::Partials::Hold>> hold(const std::string& id) {
        const sys::TimePoint until = sys::system_clock().now() + hand_over_max;
        for (;;) {
            const auto bell = std::make_shared<loop::Bell>();
            auto held = parts_.partials.hold(id, now_ms(), http::shedder_of(reader_), [bell] { bell->ring(); });
            if (held || held.error().fault() != Fault::busy || sys::system_clock().now() >= until) co_return held;
            (void)co_await bell->wait(0, until);
        }
    }

    http::Response not_held(const Error& error) {
        if (error.fault() == Fault::missing) return unknown();
        return problem_of({423, "another request brings a part of this upload"}, "in_use").with("Retry-After", "1");
    }

    loop::Task<http::Response> remove(const std::string& id) {
        auto held = co_await hold(id);
        if (!held) co_return not_held(held.error());
        const auto go = [&]() -> Result<> {
            held->remove();
            return ok;
        };
        (void)co_await parts_.disk.run(go);
        co_return tus::marked({.status = 204, .headers = {}, .body = {}});
    }

    loop::Task<http::Response> bring(const std::string& id, const tus::Part& part) {
        auto held = co_await hold(id);
        if (!held) co_return not_held(held.error());
        const store::Partial& partial = held->partial();
        const auto done = [&] { return tus::marked({.status = 204, .headers = {}, .body = {}}, partial); };
        if (part.offset != partial.offset) {
            co_return tus::marked(http::problem(409, "offset", "the upload stands at byte " + std::to_string(partial.offset), "go on from there"), partial);
        }
        if (partial.submission) co_return done();
        std::int64_t left = partial.length - partial.offset;
        if (request_.content_length && *request_.content_length > left) co_return problem_of({413, "the part goes beyond the length that was promised"}, "too_large");

        bool right = false;
        if (auto wrong = co_await receive(*held, part, left, right)) co_return std::move(*wrong);
        if (!right) co_return tus::marked(http::problem(tus::checksum_differs, "checksum", "the part is not what its checksum says; it was dropped", "send it again"), partial);
        if (!partial.whole()) co_return done();
        if (auto refusal = co_await complete(*held)) co_return std::move(*refusal);
        co_return done();
    }

    // What arrives before a connection breaks is kept, unless only its checksum could say whether it is right.
    loop::Task<std::optional<http::Response>> receive(store::Partials::Hold& held, const tus::Part& part, std::int64_t left, bool& right) {
        Sum sum{part.checksum};
        bool too_much = false;
        const auto begin = [&] { return held.begin_part(sum.wanted()); };
        if (auto begun = co_await parts_.disk.run(begin); !begun) co_return failed(begun.error());
        std::optional<Error> broke;
        Budget::Share share{parts_.budget, http::shedder_of(reader_)};
        bool room = true;
        for (;;) {
            room = co_await share.wait();
            if (!room) broke = Error{Fault::busy, "too many bytes are under way"};
            if (broke) break;
            http::Reader::Sink sink = [&](ByteView bytes) -> Result<bool> {
                too_much = std::ssize(bytes) > left;
                if (too_much) return Error{Fault::too_large, "the part goes beyond the length that was promised"};
                left -= std::ssize(bytes);
                sum.add(bytes);
                share.add(std::ssize(bytes));
                ASSAY_CHECK(held.append(bytes));
                return share.room();
            };
            auto more = co_await reader_.pump(parts_.receiving, std::move(sink));
            if (!more) broke = more.take_error();
            if (broke || !*more) break;
        }
        const bool kept = !sum.wanted() || !broke;
        right = kept && std::move(sum).right();
        const auto end = [&] { return held.end_part(right, now_ms()); };
        if (auto ended = co_await parts_.disk.run(end); !ended) co_return failed(ended.error());
        if (too_much) co_return problem_of({413, broke->text()}, "too_large");
        if (!room) co_return refused(no_room_for_bytes());
        if (broke) co_return failed(*broke);
        co_return std::nullopt;
    }

    // All bytes are there: from here on as any upload.
    loop::Task<std::optional<http::Response>> complete(store::Partials::Hold& held) {
        const store::Partial& partial = held.partial();
        // As it was when it began; the transaction looks at all dates again.
        if (auto denied = co_await entitle_at({*http::bearer_token(request_), partial.course.text(), partial.module.text(), partial.key}, partial.first_byte_ms)) co_return denied;
        Budget::Share share{parts_.budget, {}};  // On the disk once more, until it is kept.
        share.all_there();
        share.add(partial.length);
        Spool spool{parts_.spools};
        if (auto copied = co_await copy(held, spool); !copied) co_return failed(copied.error());
        const Declared declared{.sha256 = text_or_none(partial.sha256), .size = {}};
        const Arrived arrived{.sha256 = {}, .size = partial.length, .first_byte_ms = partial.first_byte_ms, .last_byte_ms = partial.touched_ms,
                              .upload_key = partial.key.empty() ? "tus:" + partial.id : partial.key, .declared = declared.sha256.has_value()};
        auto ending = co_await finish(parts_, *entitled_, spool, declared, arrived, request_.id);
        if (!ending) co_return failed(ending.error());
        const auto settle = [&]() -> Result<> {
            if (*ending) return held.became((*ending)->id, now_ms());
            const int status = model::http_status(ending->error().code);
            if (status < 500 && status != 429) held.remove();  // The others may be asked again: the bytes are here.
            return ok;
        };
        if (auto settled = co_await parts_.disk.run(settle); !settled) log::warn("upload.part_not_settled", {{"upload", partial.id}, {"error", settled.error().text()}});
        if (!*ending) co_return refused(ending->error());
        count_upload((*ending)->repeat ? "repeat" : "accepted", reader_.bytes_read());
        co_return std::nullopt;
    }

    loop::Task<Result<Unit>> copy(const store::Partials::Hold& held, Spool& spool) {
        sys::Fd from;
        bool more = true;
        const auto some = [&]() -> Result<> {
            if (!from) {
                ASSAY_TRY(from, held.open_to_read());
            }
            std::vector<std::byte> buffer(copy_bytes);
            for (std::int64_t copied = 0; copied < copied_in_a_row_max;) {
                ASSAY_TRY(const std::size_t count, sys::read_some(from, buffer));
                more = count > 0;
                if (!more) break;
                ASSAY_CHECK(spool.write(ByteView{buffer}.first(count)));
                copied += static_cast<std::int64_t>(count);
            }
            return ok;
        };
        while (more) ASSAY_CO_CHECK(co_await parts_.receiving.run(some));
        co_return ok;
    }

    Parts& parts_;
    http::Request request_;
    http::Reader& reader_;
    std::optional<Entitled> entitled_;
};

loop::Task<http::Response> create(Parts& parts, http::Request request, http::Reader& reader) {
    Resumable work{parts, std::move(request), reader};
    co_return co_await work.create();
}

loop::Task<http::Response> one(Parts& parts, http::Request request, http::Reader& reader) {
    Resumable work{parts, std::move(request), reader};
    co_return co_await work.one();
}

loop::Task<http::Response> options() {
    co_return tus::marked({.status = 204, .headers = {}, .body = {}})
        .with("Tus-Version", std::string{tus::version})
        .with("Tus-Extension", std::string{tus::extensions})
        .with("Tus-Checksum-Algorithm", std::string{tus::algorithms});
}

}  // namespace

void add_resumable_routes(http::Router& router, Parts& parts) {
    router.add("POST", "/api/v1/uploads", [&parts](http::Request request, http::Reader& reader) { return create(parts, std::move(request), reader); });
    for (const char* const method : {"GET", "PATCH", "DELETE", "POST"}) {
        router.add(method, "/api/v1/uploads/{id}", [&parts](http::Request request, http::Reader& reader) { return one(parts, std::move(request), reader); });
    }
    for (const char* const pattern : {"/api/v1/uploads", "/api/v1/uploads/{id}"}) {
        router.add("OPTIONS", pattern, [](http::Request, http::Reader&) { return options(); });
    }
}

}  // namespace assay::intake
