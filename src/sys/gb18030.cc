#include "sys/gb18030.hh"

#include <iconv.h>

namespace assay::sys {
namespace {

const iconv_t no_converter = reinterpret_cast<iconv_t>(-1);

// Loads the table when it is first called, and is never closed.
iconv_t converter() {
#ifdef ASSAY_STATIC
    return no_converter;  // The table is in a module of the machine's own C library, which a static program must not load.
#else
    static const iconv_t opened = ::iconv_open("UTF-8", "GB18030");
    return opened;
#endif
}

}  // namespace

void prepare_gb18030() { converter(); }

Result<std::optional<std::string>> utf8_from_gb18030(std::string_view text) {
    if (converter() == no_converter) return Error{Fault::unsupported, "the C library of this host cannot convert GB18030"};
    constexpr std::size_t growth = 3;  // bytes of UTF-8 for two of GB18030, at most
    std::string utf8(text.size() * growth, '\0');
    char* in = const_cast<char*>(text.data());
    char* out = utf8.data();
    std::size_t in_left = text.size();
    std::size_t out_left = utf8.size();
    ::iconv(converter(), nullptr, nullptr, nullptr, nullptr);
    if (::iconv(converter(), &in, &in_left, &out, &out_left) != 0 || in_left != 0) return std::optional<std::string>{};
    utf8.resize(utf8.size() - out_left);
    return std::optional{std::move(utf8)};
}

}  // namespace assay::sys
