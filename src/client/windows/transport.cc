// WinHTTP, synchronously. It is told to change nothing on the way: no redirect is followed, no cookie kept, no password of the user's given away.
#include "client/transport.hh"

#include <windows.h>

#include <winhttp.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/fields.hh"
#include "sys/windows/native.hh"
#include "wording/client_side.hh"

namespace assay::client {
namespace {

using namespace std::chrono_literals;
using wording::ClientSide;

constexpr std::chrono::milliseconds connect_max = 10s;
constexpr std::size_t read_bytes = 64u << 10;

struct Close {
    void operator()(void* handle) const { (void)::WinHttpCloseHandle(handle); }
};
using Internet = std::unique_ptr<void, Close>;

std::pair<Fault, ClientSide> meaning_of(DWORD number) {
    switch (number) {
        case ERROR_WINHTTP_TIMEOUT: case WSAETIMEDOUT: return {Fault::timed_out, ClientSide::no_sign_of_life};
        case ERROR_WINHTTP_CANNOT_CONNECT: return {Fault::unreachable, ClientSide::no_connection};
        case ERROR_WINHTTP_CONNECTION_ERROR: case WSAECONNRESET: case WSAECONNABORTED: return {Fault::unreachable, ClientSide::connection_broke};
        case ERROR_WINHTTP_NAME_NOT_RESOLVED: return {Fault::unreachable, ClientSide::no_host};
        // A connection that ends before its answer is told so too.
        case ERROR_WINHTTP_INVALID_SERVER_RESPONSE: return {Fault::unreachable, ClientSide::no_http};
        case ERROR_WINHTTP_HEADER_SIZE_OVERFLOW: return {Fault::invalid, ClientSide::no_http};
        default: return {Fault::unreachable, ClientSide::exchange_failed};
    }
}

// Some of what Winsock says comes through as it is. Windows has a sentence for none of these; ours are in the language of whoever reads them.
Error failed(const char* call, wording::Language language) {
    const DWORD number = ::GetLastError();
    const auto [fault, sentence] = meaning_of(number);
    return {fault, say(language, sentence, {std::string{call} + ", " + std::to_string(number)})};
}

// Of a certificate, what is wrong with it; nullopt when nothing is known to be. Flags are what WinHTTP told the callback.
std::optional<ClientSide> distrust_of(DWORD number, DWORD flags) {
    if (number == ERROR_WINHTTP_SECURE_CERT_DATE_INVALID || (flags & WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID) != 0) return ClientSide::distrust_date;
    if (number == ERROR_WINHTTP_SECURE_CERT_CN_INVALID || (flags & WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID) != 0) return ClientSide::distrust_name;
    if (number == ERROR_WINHTTP_SECURE_INVALID_CA || (flags & WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA) != 0) return ClientSide::distrust_authority;
    if (number == ERROR_WINHTTP_SECURE_CERT_REVOKED || (flags & WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED) != 0) return ClientSide::distrust_revoked;
    if (number == ERROR_WINHTTP_SECURE_INVALID_CERT || number == ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE || number == ERROR_WINHTTP_SECURE_CERT_REV_FAILED)
        return ClientSide::distrust_other;
    return std::nullopt;
}

// A certificate's fault is told here alone, before the call that fails for it returns.
void CALLBACK told(HINTERNET, DWORD_PTR flags, DWORD status, void* information, DWORD size) {
    if (status == WINHTTP_CALLBACK_STATUS_SECURE_FAILURE && flags != 0 && size >= sizeof(DWORD))
        std::memcpy(reinterpret_cast<DWORD*>(flags), information, sizeof(DWORD));
}

// One for the process. The system's proxy settings, by themselves where it can (Windows 8.1 and later).
HINTERNET session() {
    static const Internet opened = [] {
        constexpr const wchar_t* agent = L"assay";
        HINTERNET made = ::WinHttpOpen(agent, WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY, WINHTTP_NO_PROXY_NAME, WINHTTP_NO_PROXY_BYPASS, 0);
        if (made == nullptr) made = ::WinHttpOpen(agent, WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, WINHTTP_NO_PROXY_NAME, WINHTTP_NO_PROXY_BYPASS, 0);
        return Internet{made};
    }();
    return opened.get();
}

Result<> prepare(HINTERNET request, std::chrono::milliseconds quiet, wording::Language language) {
    DWORD off = WINHTTP_DISABLE_REDIRECTS | WINHTTP_DISABLE_COOKIES;
    DWORD never = WINHTTP_AUTOLOGON_SECURITY_LEVEL_HIGH;
    const int quiet_ms = static_cast<int>(std::clamp<std::int64_t>(quiet.count(), 1, 24LL * 3600 * 1000));
    const int connect_ms = std::min(quiet_ms, static_cast<int>(connect_max.count()));
    if (!::WinHttpSetOption(request, WINHTTP_OPTION_DISABLE_FEATURE, &off, sizeof off) ||
        !::WinHttpSetOption(request, WINHTTP_OPTION_AUTOLOGON_POLICY, &never, sizeof never) ||
        !::WinHttpSetTimeouts(request, connect_ms, connect_ms, quiet_ms, quiet_ms))
        return failed("WinHttpSetOption", language);
    // What waits for the answer's head has a bound of its own.
    DWORD response_ms = static_cast<DWORD>(quiet_ms);
    (void)::WinHttpSetOption(request, WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT, &response_ms, sizeof response_ms);
    return ok;
}

Result<std::wstring> lines_of(const std::vector<http::Header>& headers) {
    std::string lines;
    for (const auto& [name, value] : headers) {
        // WinHTTP makes these of what it knows: the address, and whether the connection is kept.
        if (!equal_ignoring_case(name, "Host") && !equal_ignoring_case(name, "Connection")) lines += name + ": " + value + "\r\n";
    }
    return sys::wide(lines);
}

Result<http::Answer> head_of(HINTERNET request, wording::Language language) {
    http::Answer answer;
    DWORD status = 0, size = sizeof status;
    if (!::WinHttpQueryHeaders(request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, WINHTTP_HEADER_NAME_BY_INDEX, &status, &size,
                               WINHTTP_NO_HEADER_INDEX))
        return failed("WinHttpQueryHeaders", language);
    size = 0;
    (void)::WinHttpQueryHeaders(request, WINHTTP_QUERY_RAW_HEADERS_CRLF, WINHTTP_HEADER_NAME_BY_INDEX, nullptr, &size, WINHTTP_NO_HEADER_INDEX);
    std::wstring raw(size / sizeof(wchar_t), L'\0');
    if (!::WinHttpQueryHeaders(request, WINHTTP_QUERY_RAW_HEADERS_CRLF, WINHTTP_HEADER_NAME_BY_INDEX, raw.data(), &size, WINHTTP_NO_HEADER_INDEX))
        return failed("WinHttpQueryHeaders", language);
    raw.resize(size / sizeof(wchar_t));
    ASSAY_TRY(const std::string text, sys::narrow(raw));
    std::string_view lines{text};
    lines = lines.substr(std::min(lines.size(), lines.find("\r\n") + 2));
    while (lines.ends_with("\r\n\r\n")) lines.remove_suffix(2);
    if (lines == "\r\n") lines = {};
    auto fields = http::parse_fields(lines);
    if (!fields) return Error{Fault::invalid, "the answer is no HTTP: " + fields.error().text};
    answer.status = static_cast<int>(status);
    answer.headers = std::move(*fields);
    return answer;
}

// What cannot be sent any more may be because of an answer that is there already.
Result<> send_body(HINTERNET request, const http::Outgoing& outgoing, std::optional<Error>& broke, wording::Language language) {
    for (std::int64_t left = outgoing.body ? outgoing.size : 0; left > 0;) {
        ASSAY_TRY(const ByteView piece, outgoing.body());
        if (piece.empty() || std::ssize(piece) > left) return Error{Fault::invalid, "the body changed its size while it was sent"};
        DWORD written = 0;
        if (!::WinHttpWriteData(request, piece.data(), static_cast<DWORD>(piece.size()), &written)) {
            broke = failed("WinHttpWriteData", language);
            return ok;
        }
        left -= std::ssize(piece);
    }
    return ok;
}

Result<> read_body(HINTERNET request, http::Answer& answer, const std::function<Result<>(ByteView)>& sink, wording::Language language) {
    std::vector<std::byte> bytes(read_bytes);
    for (;;) {
        DWORD there = 0, count = 0;  // As much as has come: an event must not wait for the one after it.
        if (!::WinHttpQueryDataAvailable(request, &there)) return failed("WinHttpQueryDataAvailable", language);
        if (there == 0) return ok;
        if (!::WinHttpReadData(request, bytes.data(), std::min(there, static_cast<DWORD>(bytes.size())), &count)) return failed("WinHttpReadData", language);
        const ByteView part = ByteView{bytes}.first(count);
        if (sink && answer.status < 300) {
            ASSAY_CHECK(sink(part));
            continue;
        }
        if (part.size() > http::Client::body_bytes_max - answer.body.size())
            return Error{Fault::too_large, "the answer is larger than " + size_text(http::Client::body_bytes_max)};
        answer.body += text_of(part);
    }
}

}  // namespace

// Connections are WinHTTP's own: it keeps and reuses them.
struct Transport::Way {
    Internet connection;
    Url url;
    wording::Language language;
    bool reached = false;

    Error not_sent(DWORD flags) const {
        const DWORD number = ::GetLastError();
        if (const auto why = distrust_of(number, flags))
            return {Fault::denied, say(language, ClientSide::tls_other, {url.text(), say(language, *why)})};
        if (number == ERROR_WINHTTP_SECURE_FAILURE || number == ERROR_WINHTTP_SECURE_CHANNEL_ERROR)
            return {Fault::unreachable, say(language, ClientSide::tls_failed, {"WinHTTP, " + std::to_string(number)})};
        return failed("WinHttpSendRequest", language);
    }
};

Transport::Transport(std::unique_ptr<Way> way) : way_{std::move(way)} {}
Transport::Transport(Transport&&) noexcept = default;
Transport& Transport::operator=(Transport&&) noexcept = default;
Transport::~Transport() = default;

Result<Transport> Transport::reach(const Url& url, const Belief& belief) {
    const wording::Language language = belief.language;
    ASSAY_TRY(const std::wstring host, sys::wide(url.host));
    if (session() == nullptr) return failed("WinHttpOpen", language);
    Internet connection{::WinHttpConnect(session(), host.c_str(), url.port, 0)};
    if (!connection) return failed("WinHttpConnect", language);
    return Transport{std::make_unique<Way>(std::move(connection), url, language)};
}

Result<http::Answer> Transport::send(const http::Outgoing& outgoing, std::chrono::milliseconds quiet,
                                     const std::function<Result<>(ByteView)>& sink) {
    const wording::Language language = way_->language;
    ASSAY_TRY(const std::wstring method, sys::wide(outgoing.method));
    ASSAY_TRY(const std::wstring target, sys::wide(outgoing.target));
    ASSAY_TRY(const std::wstring headers, lines_of(outgoing.headers));
    const Internet request{::WinHttpOpenRequest(way_->connection.get(), method.c_str(), target.c_str(), nullptr, WINHTTP_NO_REFERER,
                                                WINHTTP_DEFAULT_ACCEPT_TYPES,
                                                WINHTTP_FLAG_ESCAPE_DISABLE | (way_->url.tls ? WINHTTP_FLAG_SECURE : 0u))};
    if (!request) return failed("WinHttpOpenRequest", language);
    ASSAY_CHECK(prepare(request.get(), quiet, language));
    const auto size = static_cast<DWORD>(outgoing.body ? outgoing.size : 0);
    DWORD flags = 0;
    if (::WinHttpSetStatusCallback(request.get(), told, WINHTTP_CALLBACK_FLAG_SECURE_FAILURE, 0) == WINHTTP_INVALID_STATUS_CALLBACK)
        return failed("WinHttpSetStatusCallback", language);
    if (!::WinHttpSendRequest(request.get(), headers.c_str(), static_cast<DWORD>(headers.size()), WINHTTP_NO_REQUEST_DATA, 0, size,
                              reinterpret_cast<DWORD_PTR>(&flags))) {
        way_->reached = way_->reached || ::GetLastError() == ERROR_WINHTTP_CONNECTION_ERROR;
        return way_->not_sent(flags);
    }
    way_->reached = true;
    std::optional<Error> broke;
    ASSAY_CHECK(send_body(request.get(), outgoing, broke, language));
    if (!::WinHttpReceiveResponse(request.get(), nullptr)) return broke ? *broke : failed("WinHttpReceiveResponse", language);
    ASSAY_TRY(http::Answer answer, head_of(request.get(), language));
    if (outgoing.method == "HEAD" || answer.status == 204 || answer.status == 304) return answer;
    ASSAY_CHECK(read_body(request.get(), answer, sink, language));
    return answer;
}

bool Transport::reached() const { return way_->reached; }
sys::Unconfirmed Transport::unconfirmed() const { return {}; }
void Transport::give_up() {}  // A request whose handle is closed is given up.
bool Transport::shows_interim_answers() { return false; }

}  // namespace assay::client
