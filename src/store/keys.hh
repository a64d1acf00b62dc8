// Keys: what keys/ holds. One key signs receipts and nothing else, another one commitments; the secret key hashes and seals tokens,
// so that a copy of the database alone reveals nothing.
//
// Threading: everything from any thread; what is signed while a key is replaced is signed with the old or the new one, and with the
// new one alone once replace() has returned.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hh"
#include "model/receipt.hh"
#include "store/rows.hh"

namespace assay::store {

class Keys {
public:
    // Loads keys/receipt.key, keys/commitment.key and keys/secret.key, making them durably when missing. Errors: denied, system, invalid.
    static Result<Keys> open(const std::string& directory, std::int64_t now_ms);
    Keys(Keys&&) noexcept;
    Keys& operator=(Keys&&) noexcept;
    ~Keys();  // wipes

    SigningKey signing_key(model::KeyUse) const;  // the one that signs now; its `until_ms` is not set
    // Fill key_id and return the signed document.
    std::string sign(const model::Receipt&) const;
    std::string sign(const model::Commitment&) const;

    // A fresh key signs from now on, and the old one is gone for good. `publish` is called before the first byte is signed; when it
    // fails nothing has changed. Errors: its own, disk_full, system. Whoever replaces holds one_rotation() (rotation.hh does).
    Result<SigningKey> replace(model::KeyUse, std::int64_t now_ms, const std::function<Result<>(const SigningKey&)>& publish);
    std::unique_lock<std::mutex> one_rotation();

    // Keyed hash (32 raw bytes) for lookup; `purpose` "token" or "key" keeps the two apart.
    std::string hash(std::string_view purpose, std::string_view secret) const;
    std::string seal(std::string_view secret) const;                 // authenticated encryption, random nonce in front
    Result<std::string> unseal(std::string_view sealed) const;       // errors: invalid

private:
    struct Signer;
    struct Inner;
    explicit Keys(std::unique_ptr<Inner>);
    std::unique_ptr<Inner> inner_;
};

}  // namespace assay::store
