// Names in GB18030, as many packers on Chinese systems write them: converted by the system.
#include "archive/archive.hh"
#include "archive/member.hh"
#include "base/text.hh"
#include "sys/gb18030.hh"

namespace assay::archive {
namespace {

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
        ASSAY_TRY(auto utf8, sys::utf8_from_gb18030(text));
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

void prepare_name_encodings() { sys::prepare_gb18030(); }

std::unique_ptr<MemberReader> gb18030_reader(std::unique_ptr<MemberReader> reader) {
    return std::make_unique<Gb18030Reader>(std::move(reader));
}

}  // namespace assay::archive
