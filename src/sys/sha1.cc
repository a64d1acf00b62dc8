#include "sys/sha1.hh"

#include <openssl/evp.h>

#include "base/assert.hh"

namespace assay::sys {

struct Sha1::Context {
    EVP_MD_CTX* raw = EVP_MD_CTX_new();
    Context() {
        ASSAY_ASSERT(raw != nullptr);
        ASSAY_ASSERT(EVP_DigestInit_ex(raw, EVP_sha1(), nullptr) == 1);
    }
    ~Context() { EVP_MD_CTX_free(raw); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
};

Sha1::Sha1() : context_{std::make_unique<Context>()} {}
Sha1::~Sha1() = default;

void Sha1::add(ByteView bytes) { ASSAY_ASSERT(EVP_DigestUpdate(context_->raw, bytes.data(), bytes.size()) == 1); }

std::string Sha1::digest() && {
    std::string digest(20, '\0');
    ASSAY_ASSERT(EVP_DigestFinal_ex(context_->raw, reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1);
    return digest;
}

}  // namespace assay::sys
