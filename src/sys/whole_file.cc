// Whole files, by what file.hh offers on every system.
#include <algorithm>

#include "sys/file.hh"

namespace assay::sys {
namespace {

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::string> read_all(const Fd& fd, std::size_t size_max) {
    constexpr std::size_t step = 64 * 1024;
    std::string content;
    for (;;) {
        const std::size_t have = content.size();
        content.resize(have + std::min(step, size_max + 1 - have));
        ASSAY_TRY(const std::size_t n, read_some(fd, std::as_writable_bytes(std::span{content}.subspan(have))));
        content.resize(have + n);
        if (n == 0) return content;
        if (content.size() > size_max) {
            return Error{Fault::too_large, "a file of more than " + size_text(static_cast<std::int64_t>(size_max))};
        }
    }
}

Result<std::string> read_file(const std::string& path, std::size_t size_max) {
    ASSAY_TRY(const Fd fd, open_read(path));
    auto content = read_all(fd, size_max);
    if (!content) return content.take_error().in(path);
    return content;
}

Result<> write_all(const Fd& fd, std::string_view text) { return write_all(fd, bytes_of(text)); }

Result<> write_file_durably(const std::string& path, std::string_view content) {
    const std::string temporary = path + ".new";
    ASSAY_CHECK(remove_file(temporary));
    {
        ASSAY_TRY(const Fd file, create_exclusive(temporary));
        ASSAY_CHECK(write_all(file, content));
        ASSAY_CHECK(sync_data(file));
    }
    ASSAY_CHECK(rename_over(temporary, path));
    return sync_directory(parent_of(path));
}

}  // namespace assay::sys
