#include "sys/sha256.hh"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/assert.hh"

namespace assay::sys {
namespace {

// Looked up once: what EVP_sha256() names is looked up anew for each sum.
const EVP_MD* algorithm() {
    static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    ASSAY_ASSERT(found != nullptr);
    return found;
}

}  // namespace

struct Sha256::Context {
    EVP_MD_CTX* raw = EVP_MD_CTX_new();
    Context() {
        ASSAY_ASSERT(raw != nullptr);
        ASSAY_ASSERT(EVP_DigestInit_ex(raw, algorithm(), nullptr) == 1);
    }
    ~Context() { EVP_MD_CTX_free(raw); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
};

Sha256::Sha256() : context_{std::make_unique<Context>()} {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(ByteView bytes) { ASSAY_ASSERT(EVP_DigestUpdate(context_->raw, bytes.data(), bytes.size()) == 1); }

std::string Sha256::hex_so_far() const {
    Sha256 copy;
    ASSAY_ASSERT(EVP_MD_CTX_copy_ex(copy.context_->raw, context_->raw) == 1);
    return std::move(copy).hex();
}

std::string Sha256::hex() && {
    std::array<std::byte, 32> digest{};
    ASSAY_ASSERT(EVP_DigestFinal_ex(context_->raw, reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1);
    return to_hex(digest);
}

std::string sha256_hex(ByteView bytes) {
    Sha256 sum;
    sum.add(bytes);
    return std::move(sum).hex();
}

std::string hmac_sha256(ByteView key, ByteView message) {
    std::array<unsigned char, 32> digest{};
    unsigned size = 0;
    const auto* const done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                                  reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(), &size);
    ASSAY_ASSERT(done != nullptr);
    return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace assay::sys
