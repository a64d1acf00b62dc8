// Keys: what keys/ holds. The receipt key signs receipts and nothing else; the secret key hashes and seals tokens, so that a
// copy of the database alone reveals nothing.
#pragma once

#include <memory>
#include <string>

#include "base/result.hh"
#include "model/receipt.hh"
#include "store/rows.hh"

namespace assay::store {

class Keys {
public:
    // Loads keys/receipt.key and keys/secret.key, making them durably when missing. Errors: denied, system, invalid.
    static Result<Keys> open(const std::string& directory, std::int64_t now_ms);
    Keys(Keys&&) noexcept;
    Keys& operator=(Keys&&) noexcept;
    ~Keys();  // wipes

    const std::string& key_id() const;
    ReceiptKey public_key() const;
    // Fills key_id and returns the signed document.
    std::string sign(model::Receipt) const;

    // Keyed hash (32 raw bytes) for lookup; `purpose` "token" or "key" keeps the two apart.
    std::string hash(std::string_view purpose, std::string_view secret) const;
    std::string seal(std::string_view secret) const;                 // authenticated encryption, random nonce in front
    Result<std::string> unseal(std::string_view sealed) const;       // errors: invalid

private:
    struct Inner;
    explicit Keys(std::unique_ptr<Inner>);
    std::unique_ptr<Inner> inner_;
};

// Checks a signed receipt against a raw public key. Errors: invalid (which part).
Result<model::Receipt> check_receipt(std::string_view document, std::string_view public_key);

}  // namespace assay::store
