// An upload in parts as the client makes it, by other bounds: client_upload URL COURSE MODULE FILE QUIET_MS, with ASSAY_TOKEN. A part that
// has not come after QUIET_MS is given up. Prints each pause and each time it goes on, then the receipt. For the cases with bad links.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "client/server.hh"
#include "sys/file.hh"
#include "sys/sha256.hh"

namespace {

using namespace assay;

void print(const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

Result<std::string> send(const std::string& address, const std::string& course, const std::string& module, const std::string& path,
                         std::chrono::milliseconds quiet) {
    constexpr std::size_t size_max = 64u << 20;
    const char* const token = std::getenv("ASSAY_TOKEN");
    constexpr auto language = wording::Language::english;
    ASSAY_TRY(client::Url url, client::parse_url(address, language));
    ASSAY_TRY(const std::string content, sys::read_file(path, size_max));
    ASSAY_TRY(const sys::Fd file, sys::open_read(path));
    const client::Server server{std::move(url), token == nullptr ? "" : token, language, "", {.max = quiet, .told_after = quiet, .tell = {}}};
    const client::Upload upload{.course = course,
                                .module = module,
                                .file = &file,
                                .size = std::ssize(content),
                                .sha256 = sys::sha256_hex(bytes_of(content)),
                                .key = "",
                                .progress = {},
                                .waits = [](const client::Pause& pause) { print("waits: " + pause.why); },
                                .goes_on = [](std::int64_t arrived) { print(fmt::format("goes on at {}", arrived)); }};
    ASSAY_TRY(const auto sent, server.submit_in_parts(upload, {}));
    if (!sent) return Error{Fault::denied, sent.error().text};
    return sent->document;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) return 2;
    const auto receipt = send(argv[1], argv[2], argv[3], argv[4], std::chrono::milliseconds{std::atoi(argv[5])});
    print(receipt ? *receipt : "failed: " + receipt.error().text());
    return receipt ? 0 : 1;
}
