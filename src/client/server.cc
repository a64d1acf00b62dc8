#include "client/server.hh"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/text.hh"
#include "client/proxy.hh"
#include "sys/file.hh"
#include "wording/client_side.hh"

namespace assay::client {
namespace {

template <class T>
using Said = std::expected<T, Refused>;
using wording::ClientSide;

bool good(const http::Answer& answer) {
    return answer.status >= 200 && answer.status < 300 && !answer.header("Assay-Server").empty();
}

std::string seconds_text(std::chrono::milliseconds duration) { return fmt::format("{:g}", static_cast<double>(duration.count()) / 1000); }

std::string in_query(std::string_view text) { return http::percent_encoded(text); }

}  // namespace

http::Outgoing Server::outgoing(std::string method, const std::string& path) const {
    http::Outgoing made;
    made.method = std::move(method);
    made.target = url_.path + path;
    made.headers = {{"Host", url_.host_header()}, {"User-Agent", "assay/" ASSAY_VERSION}, {"Accept", "application/json"}, {"Connection", "close"}};
    if (!token_.empty()) made.headers.emplace_back("Authorization", "Bearer " + token_);
    made.headers.emplace_back("Accept-Language", wording::tag(language_));
    return made;
}

Result<Transport> Server::reach() const {
    auto transport = Transport::reach(url_, {.ca_file = ca_file_, .language = language_});
    if (!transport) return for_good(transport.error()) ? transport.error() : not_reached(transport.error().text());
    return transport;
}

Error Server::not_reached(const std::string& why) const {
    return {Fault::unreachable, say(language_, ClientSide::unreachable, {url_.text(), why})};
}

Result<http::Answer> Server::ask(const http::Outgoing& request, const Quiet& quiet, const Sink& sink) const {
    std::optional<Transport> transport;
    return ask(transport, request, quiet, sink);
}

Result<http::Answer> Server::ask(std::optional<Transport>& kept, const http::Outgoing& request, const Quiet& quiet, const Sink& sink) const {
    const auto tell = [&](Silence::Of of) {
        const auto left = of == Silence::Of::connecting ? std::chrono::milliseconds{0} : quiet.max - quiet.told_after;
        quiet.tell({.of = of, .server = url_.text(), .since = quiet.told_after, .left = left});
    };
    SilenceWatch watch{quiet.told_after, quiet.tell ? std::function<void(Silence::Of)>{tell} : nullptr};
    if (!kept) {
        ASSAY_TRY(Transport fresh, reach());
        kept.emplace(std::move(fresh));
    }
    watch.connected([&] { return kept->unconfirmed(); });
    http::Outgoing watched = request;
    if (request.body) watched.body = [&] {
        watch.heard();
        return request.body();
    };
    const Sink heard = [&](ByteView bytes) {
        watch.heard();
        return sink(bytes);
    };
    auto answer = kept->send(watched, quiet.max, sink ? heard : Sink{});
    if (answer) return answer;
    kept->give_up();
    if (!kept->reached() && for_good(answer.error())) return answer;
    if (!kept->reached()) return not_reached(say(language_, ClientSide::check_network, {answer.error().text()}));
    if (answer.error().fault() == Fault::timed_out) return silent(quiet.max);
    return answer.take_error().in(say(language_, ClientSide::asked, {url_.text()}));
}

Error Server::silent(std::chrono::milliseconds quiet) const {
    return {Fault::timed_out, say(language_, ClientSide::silent, {url_.text(), seconds_text(quiet)})};
}

Refused Server::refused(const http::Answer& answer, std::int64_t body_size) const {
    if (const auto hop = hop_of(answer, body_size))
        return {.code = {},
                .text = sentence_of(*hop, answer.status, body_size, language_),
                .next = {},
                .status = answer.status,
                .parts_may_pass = hop->trouble == Trouble::too_large || hop->trouble == Trouble::too_slow};
    if (auto problem = problem_from(answer.body)) {
        return {.code = problem->code, .text = problem->detail, .next = problem->next, .status = answer.status};
    }
    return {.code = {},
            .text = say(language_, ClientSide::answered, {std::to_string(answer.status)}),
            .next = {},
            .status = answer.status};
}

Answered<std::string> Server::text(const std::string& path) const {
    ASSAY_TRY(http::Answer answer, ask(outgoing("GET", path)));
    if (!good(answer)) return Said<std::string>{std::unexpected{refused(answer, 0)}};
    return Said<std::string>{std::move(answer.body)};
}

Answered<Limits> Server::limits(const std::string& course, const std::string& module) const {
    ASSAY_TRY(auto json, text(fmt::format("/api/v1/limits?course={}&module={}", in_query(course), in_query(module))));
    if (!json) return Said<Limits>{std::unexpected{std::move(json.error())}};
    ASSAY_TRY(Limits limits, understood(limits_from(*json)));
    return Said<Limits>{std::move(limits)};
}

Answered<bool> Server::knows_token() const {
    // No submission has this id: whose token it is decides between the two refusals.
    ASSAY_TRY(const http::Answer answer, ask(outgoing("GET", "/api/v1/submissions/0000000000000000")));
    const bool own = !answer.header("Assay-Server").empty();
    if (own && answer.status == 401) return Said<bool>{false};
    if (own && (answer.status == 404 || answer.status == 200)) return Said<bool>{true};
    return Said<bool>{std::unexpected{refused(answer, 0)}};
}

Answered<Committed> Server::commit(const Upload& upload) const {
    http::Outgoing request = outgoing("POST", "/api/v1/commitments");
    request.headers.emplace_back("Content-Type", "application/json");
    const std::string body =
        nlohmann::json{{"course", upload.course}, {"module", upload.module}, {"size", upload.size}, {"sha256", upload.sha256}}.dump(
            -1, ' ', false, nlohmann::json::error_handler_t::replace);
    request.size = std::ssize(body);
    bool sent = false;
    request.body = [&]() -> Result<ByteView> { return std::exchange(sent, true) ? ByteView{} : bytes_of(body); };
    ASSAY_TRY(http::Answer answer, ask(request, {.max = announce_max, .told_after = announce_max, .tell = {}}));
    if (!good(answer)) return Said<Committed>{std::unexpected{refused(answer, request.size)}};
    ASSAY_TRY(Committed committed, understood(committed_from(answer.body)));
    return Said<Committed>{std::move(committed)};
}

Answered<Receipt> Server::submit(const Upload& upload) const {
    std::string path = fmt::format("/api/v1/submissions?course={}&module={}&size={}&sha256={}", in_query(upload.course),
                                   in_query(upload.module), upload.size, upload.sha256);
    http::Outgoing request = outgoing("POST", path);
    request.headers.emplace_back("Content-Type", "application/octet-stream");
    request.headers.emplace_back("Idempotency-Key", upload.key);
    request.size = upload.size;
    std::array<std::byte, piece_bytes> piece;
    std::int64_t sent = 0;
    request.body = [&]() -> Result<ByteView> {
        if (upload.progress) upload.progress(sent);
        ASSAY_TRY(const std::size_t count, sys::read_at(*upload.file, piece, sent));
        const auto left = static_cast<std::size_t>(upload.size - sent);
        sent += static_cast<std::int64_t>(std::min(count, left));
        return ByteView{piece}.first(std::min(count, left));
    };
    auto asked = ask(request);
    if (!asked && sent > 0 && asked.error().fault() == Fault::timed_out)
        return Error{Fault::timed_out, say(language_, ClientSide::silent_upload,
                                           {url_.text(), seconds_text(quiet_.max), std::to_string(sent), std::to_string(upload.size)})};
    if (!asked && sent > 0) return asked.take_error().in(say(language_, ClientSide::broke_off, {std::to_string(sent), std::to_string(upload.size)}));
    ASSAY_TRY(http::Answer answer, std::move(asked));
    if (!good(answer)) return Said<Receipt>{std::unexpected{refused(answer, upload.size)}};
    if (upload.progress) upload.progress(upload.size);
    ASSAY_TRY(Received received, understood(received_from(answer.body)));
    return Said<Receipt>{Receipt{std::move(answer.body), std::move(received), answer.header("Idempotency-Replayed") == "true"}};
}

Answered<Standing> Server::watch(const std::string& id, const std::function<bool(const Standing&, const std::string&)>& told) const {
    EventReader reader;
    std::optional<Standing> last;
    bool enough = false;
    for (int lost = 0;; ++lost) {
        http::Outgoing request = outgoing("GET", fmt::format("/api/v1/submissions/{}/events", http::percent_encoded(id)));
        if (!reader.last_id().empty()) request.headers.emplace_back("Last-Event-ID", reader.last_id());
        const auto take = [&](const ServerEvent& event) -> Result<> {
            if (event.name != "submission") return ok;
            ASSAY_TRY(Standing standing, understood(standing_from(event.data)));
            lost = 0;
            enough = !told(standing, event.data) || standing.over();
            last = std::move(standing);
            return enough ? Result<>{Error{Fault::interrupted, "seen enough"}} : ok;
        };
        const auto feed = [&](ByteView bytes) { return reader.feed(text_of(bytes), take); };
        const auto answer = ask(request, {.max = events_quiet_max, .told_after = events_silence_told_after, .tell = quiet_.tell}, feed);
        if (enough) return Said<Standing>{std::move(*last)};
        if (answer && answer->status == 204 && last) return Said<Standing>{std::move(*last)};  // Nothing follows what we know.
        if (answer && !good(*answer) && answer->status < 500) return Said<Standing>{std::unexpected{refused(*answer, 0)}};
        if (!answer && for_good(answer.error())) return answer.error();
        if (lost >= reconnects_max) {
            if (!answer) return answer.error();
            if (!good(*answer)) return Said<Standing>{std::unexpected{refused(*answer, 0)}};
            return Error{Fault::unreachable, say(language_, ClientSide::events_end)};
        }
        std::this_thread::sleep_for(reconnect_after);
    }
}

}  // namespace assay::client
