#include "alert/digest.hh"

#include <concepts>

#include "alert/text.hh"
#include "base/assert.hh"
#include "base/text.hh"
#include "sys/sha256.hh"

namespace assay::alert {
namespace {

constexpr std::string_view magic{"ASD1\x01\x00\x00\x00", 8};  // version 1, no flags
constexpr std::size_t signature_bytes = 32;

template <std::unsigned_integral N>
void put(std::string& bytes, N value) {
    for (std::size_t i = 0; i < sizeof(N); ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
}

void put_text(std::string& bytes, const std::string& text, std::size_t size) {
    std::string cut = shortened(text, size);
    cut.resize(size, '\0');
    bytes += cut;
}

class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_{bytes} {}
    template <std::unsigned_integral N>
    N number() {
        N value = 0;
        for (std::size_t i = sizeof(N); i-- > 0;)
            value = static_cast<N>(value << 8 | static_cast<unsigned char>(rest_[i]));
        rest_.remove_prefix(sizeof(N));
        return value;
    }
    std::string text(std::size_t size) {
        const std::string_view field = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return replace_invalid_utf8(field.substr(0, field.find('\0')));
    }

private:
    std::string_view rest_;
};

// Takes as long whatever is different.
bool same(std::string_view a, std::string_view b) {
    unsigned char different = a.size() == b.size() ? 0 : 1;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) different |= static_cast<unsigned char>(a[i] ^ b[i]);
    return different == 0;
}

}  // namespace

std::string to_datagram(const Digest& digest, std::string_view secret) {
    std::string bytes{magic};
    put(bytes, static_cast<std::uint64_t>(digest.started_ms));
    put(bytes, digest.sequence);
    put(bytes, static_cast<std::uint64_t>(digest.at_ms));
    for (const std::uint32_t value :
         {digest.loop_lag_ms, digest.waiting, digest.running, digest.slots, digest.incidents})
        put(bytes, value);
    put(bytes, digest.memory_permille);
    put(bytes, digest.disk_permille);
    put_text(bytes, digest.host, digest_host_max);
    put_text(bytes, digest.cause, digest_cause_max);
    bytes += sys::hmac_sha256(bytes_of(secret), bytes_of(bytes));
    ASSAY_ASSERT(bytes.size() == digest_bytes);
    return bytes;
}

Result<Digest> digest_from(std::string_view datagram, std::string_view secret) {
    if (datagram.size() != digest_bytes || !datagram.starts_with(magic))
        return Error{Fault::invalid, "this is no digest"};
    const std::string_view content = datagram.substr(0, digest_bytes - signature_bytes);
    if (!same(sys::hmac_sha256(bytes_of(secret), bytes_of(content)), datagram.substr(content.size()))) {
        return Error{Fault::denied, "the digest was signed with another secret"};
    }
    Reader reader{content.substr(magic.size())};
    Digest digest;
    digest.started_ms = static_cast<std::int64_t>(reader.number<std::uint64_t>());
    digest.sequence = reader.number<std::uint64_t>();
    digest.at_ms = static_cast<std::int64_t>(reader.number<std::uint64_t>());
    for (std::uint32_t* const value :
         {&digest.loop_lag_ms, &digest.waiting, &digest.running, &digest.slots, &digest.incidents})
        *value = reader.number<std::uint32_t>();
    digest.memory_permille = reader.number<std::uint16_t>();
    digest.disk_permille = reader.number<std::uint16_t>();
    digest.host = reader.text(digest_host_max);
    digest.cause = reader.text(digest_cause_max);
    return digest;
}

bool is_news(const Digest& last, const Digest& next) {
    if (next.started_ms != last.started_ms) return next.started_ms > last.started_ms;
    return next.sequence > last.sequence;
}

}  // namespace assay::alert
