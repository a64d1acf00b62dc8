// Which encoding a roster is in. GB18030 by the C library's own tables; every byte sequence that is none is an error.
#include <iconv.h>

#include <cerrno>

#include "base/text.hh"
#include "course/roster.hh"

namespace assay::course {
namespace {

constexpr std::size_t growth = 2;  // four bytes of GB18030 become four of UTF-8 at most, two become three

struct Converter {
    iconv_t handle = ::iconv_open("UTF-8", "GB18030");
    Converter() = default;
    ~Converter() {
        if (known()) ::iconv_close(handle);
    }
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;
    // The library's word for failure is a pointer made of -1.
    bool known() const { return handle != reinterpret_cast<iconv_t>(-1); }
};

}  // namespace

Result<std::string> roster_text(std::string_view bytes) {
    if (valid_utf8(bytes)) return std::string{bytes};
    if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) {
        return Error{Fault::invalid, "the roster is UTF-16; save it as \"CSV UTF-8\""};
    }
    Converter converter;
    if (!converter.known()) return Error{Fault::unsupported, "this machine cannot read GB18030; save the roster as \"CSV UTF-8\""};
    std::string in{bytes}, out(bytes.size() * growth, '\0');
    char* from = in.data();
    char* to = out.data();
    std::size_t from_left = in.size(), to_left = out.size();
    const bool read = ::iconv(converter.handle, &from, &from_left, &to, &to_left) != static_cast<std::size_t>(-1);
    if (!read || from_left != 0) return Error{Fault::invalid, "the roster is neither UTF-8 nor GB18030; save it as \"CSV UTF-8\""};
    out.resize(out.size() - to_left);
    return out;
}

}  // namespace assay::course
