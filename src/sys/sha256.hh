// SHA-256 as a running sum (OpenSSL's EVP: uses the processor's instructions where it has them).
#pragma once

#include <memory>
#include <string>

#include "base/text.hh"

namespace assay::sys {

class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void add(ByteView);
    // Of what was added so far, as hex() would say.
    std::string hex_so_far() const;
    // 64 lower-case hex digits; the object is spent afterwards.
    std::string hex() &&;

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

std::string sha256_hex(ByteView);
// HMAC-SHA-256, 32 raw bytes.
std::string hmac_sha256(ByteView key, ByteView message);

}  // namespace assay::sys
