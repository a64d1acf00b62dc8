#include "http/wire.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>

#include "http/head.hh"

namespace assay::http {
namespace {

constexpr std::array<std::string_view, 6> own_names{"content-length", "transfer-encoding", "connection",
                                                    "date",           "assay-server",      "x-request-id"};

// Made once a second, on each thread.
const std::string& date_line(sys::WallTime now) {
    thread_local std::time_t made_for = -1;
    thread_local std::string date;
    const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    if (seconds != made_for) date = http_date(now);
    made_for = seconds;
    return date;
}

// A value that came from outside must not be able to add a header of its own.
bool sendable(const Header& header) {
    const auto control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; };
    return is_token(header.first) && std::ranges::none_of(header.second, control) &&
           std::ranges::none_of(own_names,
                                [&](std::string_view name) { return equal_ignoring_case(name, header.first); });
}

}  // namespace

std::string http_date(sys::WallTime time) {
    const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[static_cast<std::size_t>(utc.tm_wday)],
                       utc.tm_mday, months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                       utc.tm_min, utc.tm_sec);
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 206: return "Partial Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 416: return "Range Not Satisfiable";
        case 417: return "Expectation Failed";
        case 422: return "Unprocessable Content";
        case 423: return "Locked";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 460: return "Checksum Mismatch";  // Of the resumable upload protocol tus.
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 505: return "HTTP Version Not Supported";
        case 507: return "Insufficient Storage";
        default: return status < 400 ? "Done" : "Failed";
    }
}

bool has_content(int status) { return status != 204 && status != 304; }

std::string header_lines(std::span<const Header> headers) {
    std::string lines;
    for (const Header& header : headers) {
        if (sendable(header)) ((((lines += header.first) += ": ") += header.second) += "\r\n");
    }
    return lines;
}

std::string response_head(const Response& response, std::string_view request_id, bool close, sys::WallTime now) {
    std::array<char, 24> status_digits;
    std::array<char, 24> length_digits;
    const auto digits = [](std::array<char, 24>& place, std::size_t number) {
        return std::string_view{place.data(), std::to_chars(place.data(), place.data() + place.size(), number).ptr};
    };
    const std::string own = response.headers.empty() ? std::string{} : header_lines(response.headers);
    const bool measured = has_content(response.status) && !response.streamer;
    const std::array<std::string_view, 14> parts{
        "HTTP/1.1 ", digits(status_digits, static_cast<std::size_t>(response.status)), " ", reason_phrase(response.status),
        "\r\nDate: ", date_line(now), "\r\n",
        own, response.shared_lines ? std::string_view{*response.shared_lines} : std::string_view{},
        measured ? "Content-Length: " : "", measured ? digits(length_digits, response.content().size()) : "",
        measured ? "\r\nAssay-Server: " ASSAY_VERSION "\r\nX-Request-Id: " : "Assay-Server: " ASSAY_VERSION "\r\nX-Request-Id: ",
        request_id, close ? "\r\nConnection: close\r\n\r\n" : "\r\nConnection: keep-alive\r\n\r\n"};
    std::size_t size = 0;
    for (const std::string_view part : parts) size += part.size();
    std::string head;
    head.resize_and_overwrite(size, [&](char* at, std::size_t) {
        for (const std::string_view part : parts) {
            std::memcpy(at, part.data(), part.size());
            at += part.size();
        }
        return size;
    });
    return head;
}

}  // namespace assay::http
