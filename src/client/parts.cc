// An upload in parts, over one connection as long as that is kept: a new one for each part would begin slowly each time.
#include "client/server.hh"

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.hh"
#include "sys/clock.hh"
#include "sys/file.hh"
#include "sys/sha256.hh"

namespace assay::client {
namespace {

using namespace std::chrono_literals;

template <class T>
using Said = std::expected<T, Refused>;

constexpr std::chrono::milliseconds first_pause = 250ms;
constexpr std::chrono::milliseconds longest_pause = 10s;
constexpr int pauses_doubled_max = 6;
constexpr std::chrono::seconds kept_max = 2s;  // a connection without a request; then who is there may have closed it

bool from_the_server(const http::Answer& answer) { return !answer.header("Assay-Server").empty(); }

std::optional<std::int64_t> number_in(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

std::string base64_of_hex(std::string_view hex) { return to_base64(bytes_of(from_hex(hex).value_or(""))); }

}  // namespace

// One upload under way: where it stands, and how patient we still are.
class Server::Parts {
public:
    Parts(const Server& server, const Upload& upload, const Begun& begun)
        : server_{server}, upload_{upload}, begun_{begun}, address_{begun.address}, size_{server.quiet_.max} {}

    Answered<Receipt> send() {
        for (;;) {
            Result<Step> step = !submission_.empty() ? fetch() : address_.empty() ? begin() : offset_ ? bring(*offset_) : ask();
            if (!step && for_good(step.error())) return step.take_error();
            if (step && step->refused) {
                if (submission_.empty()) remember("");
                return Said<Receipt>{std::unexpected{std::move(*step->refused)}};
            }
            if (step && step->receipt) return Said<Receipt>{std::move(*step->receipt)};
            if (step && step->progress) {
                if (!gained()) continue;
                if (std::exchange(failures_, 0) > 0 && upload_.goes_on) upload_.goes_on(arrived_);
                last_progress_ = sys::system_clock().now();
                continue;
            }
            const std::string why = step ? last_.text : step.error().text();
            const auto patience = offset_known_ ? patience_max : patience_before;
            if (sys::system_clock().now() - last_progress_ > patience) {
                if (!step) return step.take_error();
                return Said<Receipt>{std::unexpected{std::move(last_)}};
            }
            if (failures_++ == 0 && upload_.waits) upload_.waits({.why = why, .arrived = arrived_, .patience = patience});
            offset_.reset();  // The server knows what has arrived.
            std::this_thread::sleep_for(
                std::min(longest_pause, first_pause * (1 << std::min(failures_, pauses_doubled_max))));
        }
    }

private:
    struct Step {
        bool progress = false;           // on with it; else: again after a pause
        std::optional<Refused> refused;  // for good
        std::optional<Receipt> receipt;  // it is over
    };

    // Whether more has come of it than ever before: that somebody says where it stands is no gain.
    bool gained() {
        const std::int64_t now_at = submission_.empty() ? arrived_ : upload_.size + 1;
        return now_at > std::exchange(gained_, std::max(gained_, now_at));
    }

    void remember(const std::string& address) {
        address_ = address;
        if (begun_.keep) begun_.keep(address);
    }

    http::Outgoing request(const char* method, const std::string& path) const {
        http::Outgoing made = server_.outgoing(method, path);
        std::erase_if(made.headers, [](const http::Header& one) { return one.first == "Connection"; });
        made.headers.emplace_back("Tus-Resumable", "1.0.0");
        return made;
    }

    Result<http::Answer> exchange(const http::Outgoing& request) {
        if (connection_ && sys::system_clock().now() - last_answer_ > kept_max) connection_.reset();
        auto answer = server_.ask(connection_, request, server_.quiet_);
        last_answer_ = sys::system_clock().now();
        // After a refusal the rest of a body may be on its way yet.
        if (!answer || answer->status >= 300 || equal_ignoring_case(answer->header("Connection"), "close")) connection_.reset();
        return answer;
    }

    Result<Step> begin() {
        http::Outgoing made =
            request("POST", "/api/v1/uploads?course=" + http::percent_encoded(upload_.course) +
                                "&module=" + http::percent_encoded(upload_.module) + "&sha256=" + upload_.sha256);
        made.headers.emplace_back("Upload-Length", std::to_string(upload_.size));
        if (!upload_.key.empty()) made.headers.emplace_back("Idempotency-Key", upload_.key);
        made.size = 0;
        made.body = []() -> Result<ByteView> { return ByteView{}; };  // Some proxies insist on a length.
        ASSAY_TRY(const http::Answer answer, exchange(made));
        if (answer.status != 201) {
            auto step = not_taken(answer);
            const bool no_route = answer.status == 404 || answer.status == 405 || answer.status == 501;
            if (step && step->refused) step->refused->no_parts = no_route && (last_.code.empty() || last_.code == "unknown_route");
            return step;
        }
        const std::string_view where = answer.header("Location");
        if (!where.starts_with("/api/v1/uploads/"))
            return server_.understood(Result<Step>{Error{Fault::invalid, "no address for the parts"}});
        remember(std::string{where});
        offset_ = 0;
        offset_known_ = true;
        return Step{.progress = true, .refused = {}, .receipt = {}};
    }

    // Where it stands.
    Result<Step> ask() {
        ASSAY_TRY(const http::Answer answer, exchange(request("GET", address_)));
        if (answer.status != 200) return not_taken(answer);
        return stands(answer);
    }

    Result<Step> stands(const http::Answer& answer) {
        if (const std::string_view id = answer.header("Assay-Submission"); !id.empty()) {
            submission_ = id;
            return Step{.progress = true, .refused = {}, .receipt = {}};
        }
        const auto now_at = number_in(answer.header("Upload-Offset"));
        if (!now_at || *now_at > upload_.size)
            return server_.understood(Result<Step>{Error{Fault::invalid, "it does not say how much has arrived"}});
        const bool progress = !offset_ || *now_at > *offset_;
        offset_ = now_at;
        arrived_ = *now_at;
        offset_known_ = true;
        if (upload_.progress) upload_.progress(*offset_);
        return Step{.progress = progress, .refused = {}, .receipt = {}};
    }

    Result<Step> bring(std::int64_t from) {
        std::vector<std::byte> part(static_cast<std::size_t>(std::min(size_.bytes(), upload_.size - from)));
        for (std::size_t have = 0; have < part.size();) {
            ASSAY_TRY(const std::size_t count, sys::read_at(*upload_.file, std::span{part}.subspan(have),
                                                            from + static_cast<std::int64_t>(have)));
            if (count == 0) return Error{Fault::invalid, say(server_.language_, wording::ClientSide::became_shorter)};
            have += count;
        }
        http::Outgoing made = request("PATCH", address_);
        made.headers.emplace_back("Content-Type", "application/offset+octet-stream");
        made.headers.emplace_back("Upload-Offset", std::to_string(from));
        made.headers.emplace_back("Upload-Checksum", "sha256 " + base64_of_hex(sys::sha256_hex(part)));
        made.size = std::ssize(part);
        std::size_t given = 0;
        made.body = [&]() -> Result<ByteView> {
            if (upload_.progress) upload_.progress(from + static_cast<std::int64_t>(given));
            const ByteView piece = ByteView{part}.subspan(given, std::min(piece_bytes, part.size() - given));
            given += piece.size();
            return piece;
        };
        const sys::TimePoint began = sys::system_clock().now();
        const auto answer = exchange(made);
        if (!answer) {
            size_.broke();
            return answer.error();
        }
        if (answer->status != 204) return not_taken(*answer);
        size_.came(std::chrono::duration_cast<std::chrono::milliseconds>(sys::system_clock().now() - began));
        return stands(*answer);
    }

    // What is no progress: for good, or for now.
    Result<Step> not_taken(const http::Answer& answer) {
        last_ = server_.refused(answer, size_.bytes());
        if (!from_the_server(answer)) {
            const bool smaller = last_.parts_may_pass && size_.refused();
            const bool for_now = smaller || answer.status == 408 || answer.status == 429 || answer.status >= 500;
            return for_now ? Step{} : Step{.progress = false, .refused = last_, .receipt = {}};
        }
        if (last_.code == "unknown_upload") {
            remember("");  // It expired, or a later one took its place.
            if (std::exchange(arrived_, 0) > 0) gained_ = -1;
            return Step{};
        }
        const bool for_now = answer.status >= 500 || answer.status == 409 || answer.status == 423 ||
                             answer.status == 429 || answer.status == 460;
        return for_now ? Step{} : Step{.progress = false, .refused = last_, .receipt = {}};
    }

    // The server, or the way to it, may break under this one as well.
    Result<Step> fetch() {
        ASSAY_TRY(auto document, server_.text("/api/v1/submissions/" + http::percent_encoded(submission_) + "/receipt"));
        if (!document) {
            last_ = std::move(document).error();
            const bool for_now = last_.status >= 500 || last_.status == 429;
            return for_now ? Step{} : Step{.progress = false, .refused = last_, .receipt = {}};
        }
        ASSAY_TRY(Received received, server_.understood(received_from(*document)));
        return Step{.progress = true, .refused = {}, .receipt = Receipt{std::move(*document), std::move(received), false}};
    }

    const Server& server_;
    const Upload& upload_;
    const Begun& begun_;
    std::string address_;                      // of this upload; empty: none yet
    std::string submission_;                   // what became of it; empty: nothing yet
    std::optional<std::int64_t> offset_;       // what the server has; nullopt: to be asked
    std::int64_t arrived_ = 0;                 // the last that was known
    std::int64_t gained_ = -1;                 // the most that has come of it; its size and 1: a submission
    PartSize size_;
    bool offset_known_ = false;                // it has been reached once
    sys::TimePoint last_progress_ = sys::system_clock().now();
    int failures_ = 0;                         // in a row
    std::optional<Transport> connection_;   // nullopt: none that could be used again
    sys::TimePoint last_answer_{};
    Refused last_;
};

Answered<Receipt> Server::submit_in_parts(const Upload& upload, const Begun& begun) const {
    return Parts{*this, upload, begun}.send();
}

}  // namespace assay::client
