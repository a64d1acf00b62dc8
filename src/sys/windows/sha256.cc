// SHA-256 by the system's own library (CNG), which uses the processor's instructions where it has them.
#include "sys/sha256.hh"

#include <windows.h>

#include <bcrypt.h>

#include <algorithm>
#include <array>

#include "base/assert.hh"

namespace assay::sys {
namespace {

BCRYPT_ALG_HANDLE algorithm(ULONG flags) {
    BCRYPT_ALG_HANDLE opened = nullptr;
    ASSAY_ASSERT(::BCryptOpenAlgorithmProvider(&opened, BCRYPT_SHA256_ALGORITHM, nullptr, flags) >= 0);
    return opened;  // Never closed: there is one for each use.
}

std::array<std::byte, 32> finished(BCRYPT_HASH_HANDLE hash) {
    std::array<std::byte, 32> digest{};
    ASSAY_ASSERT(::BCryptFinishHash(hash, reinterpret_cast<PUCHAR>(digest.data()), static_cast<ULONG>(digest.size()), 0) >= 0);
    return digest;
}

void add_to(BCRYPT_HASH_HANDLE hash, ByteView bytes) {
    constexpr std::size_t step = 1u << 30;  // Lengths have 32 bits there.
    while (!bytes.empty()) {
        const ByteView some = bytes.first(std::min(bytes.size(), step));
        auto* const data = reinterpret_cast<PUCHAR>(const_cast<std::byte*>(some.data()));
        ASSAY_ASSERT(::BCryptHashData(hash, data, static_cast<ULONG>(some.size()), 0) >= 0);
        bytes = bytes.subspan(some.size());
    }
}

}  // namespace

struct Sha256::Context {
    BCRYPT_HASH_HANDLE raw = nullptr;
    Context() {
        static const BCRYPT_ALG_HANDLE sha256 = algorithm(0);
        ASSAY_ASSERT(::BCryptCreateHash(sha256, &raw, nullptr, 0, nullptr, 0, 0) >= 0);
    }
    explicit Context(BCRYPT_HASH_HANDLE other) { ASSAY_ASSERT(::BCryptDuplicateHash(other, &raw, nullptr, 0, 0) >= 0); }
    ~Context() { (void)::BCryptDestroyHash(raw); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
};

Sha256::Sha256() : context_{std::make_unique<Context>()} {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(ByteView bytes) { add_to(context_->raw, bytes); }

std::string Sha256::hex_so_far() const {
    const Context copy{context_->raw};
    return to_hex(finished(copy.raw));
}

std::string Sha256::hex() && { return to_hex(finished(context_->raw)); }

std::string sha256_hex(ByteView bytes) {
    Sha256 sum;
    sum.add(bytes);
    return std::move(sum).hex();
}

}  // namespace assay::sys
