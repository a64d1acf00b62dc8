#include "sys/gb18030.hh"

#include <windows.h>

#include "sys/windows/native.hh"

namespace assay::sys {
namespace {

constexpr UINT gb18030 = 54936;

}  // namespace

void prepare_gb18030() {}

Result<std::optional<std::string>> utf8_from_gb18030(std::string_view text) {
    if (text.empty()) return std::optional<std::string>{""};
    if (!::IsValidCodePage(gb18030)) return Error{Fault::unsupported, "this Windows has no table of GB18030"};
    std::wstring utf16(text.size(), L'\0');
    const int size = ::MultiByteToWideChar(gb18030, MB_ERR_INVALID_CHARS, text.data(), static_cast<int>(text.size()), utf16.data(),
                                           static_cast<int>(utf16.size()));
    if (size <= 0) return std::optional<std::string>{};
    utf16.resize(static_cast<std::size_t>(size));
    auto utf8 = narrow(utf16);
    return utf8 ? std::optional{std::move(*utf8)} : std::optional<std::string>{};
}

}  // namespace assay::sys
