// Names in GB18030, as many packers on Chinese systems write them: converted by the libc, which loads its table from a file once.
#include <iconv.h>

#include "archive/archive.hh"
#include "archive/member.hh"
#include "base/text.hh"

namespace assay::archive {
namespace {

const iconv_t no_converter = reinterpret_cast<iconv_t>(-1);

// Loads the table when it is first called, and is never closed.
iconv_t converter() {
    static const iconv_t opened = ::iconv_open("UTF-8", "GB18030");
    return opened;
}

// nullopt: no valid GB18030.
std::optional<std::string> converted(std::string_view name) {
    constexpr std::size_t growth = 3;  // bytes of UTF-8 for two of GB18030, at most
    std::string utf8(name.size() * growth, '\0');
    char* in = const_cast<char*>(name.data());
    char* out = utf8.data();
    std::size_t in_left = name.size();
    std::size_t out_left = utf8.size();
    ::iconv(converter(), nullptr, nullptr, nullptr, nullptr);
    if (::iconv(converter(), &in, &in_left, &out, &out_left) != 0 || in_left != 0) return std::nullopt;
    utf8.resize(utf8.size() - out_left);
    return utf8;
}

class Gb18030Reader final : public MemberReader {
public:
    explicit Gb18030Reader(std::unique_ptr<MemberReader> inner) : inner_{std::move(inner)} {}

    Step<std::optional<Member>> next() override {
        ASSAY_TRY(std::optional<Member> member, inner_->next());
        if (!member) return member;
        if (!member->name_is_utf8) ASSAY_CHECK(convert(member->name, *member));
        if (!member->target_is_utf8) ASSAY_CHECK(convert(member->target, *member));
        return member;
    }
    Step<std::size_t> read(std::span<std::byte> buffer) override { return inner_->read(buffer); }

private:
    static Step<> convert(std::string& text, Member& member) {
        if (is_ascii(text)) return ok;
        if (converter() == no_converter) return Error{Fault::unsupported, "the C library of this host cannot convert GB18030"};
        auto utf8 = converted(text);
        if (!utf8) {
            return Refused{.fault = ArchiveFault::name_encoding, .arguments = {"GB18030"}, .entry = escaped(member.name), .offset = member.offset};
        }
        text = std::move(*utf8);
        member.converted = true;
        return ok;
    }

    std::unique_ptr<MemberReader> inner_;
};

}  // namespace

void prepare_name_encodings() { converter(); }

std::unique_ptr<MemberReader> gb18030_reader(std::unique_ptr<MemberReader> reader) {
    return std::make_unique<Gb18030Reader>(std::move(reader));
}

}  // namespace assay::archive
