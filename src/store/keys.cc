// Each key file is one line: what it is, its bytes in hex, and since when (milliseconds). Secrets live in sodium's guarded
// memory; everything that passed through an ordinary string on the way is wiped.
#include "store/keys.hh"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/assert.hh"
#include "base/text.hh"
#include "model/json.hh"
#include "sys/file.hh"
#include "sys/random.hh"
#include "sys/sha256.hh"

namespace assay::store {
namespace {

constexpr std::size_t seed_size = crypto_sign_SEEDBYTES;
constexpr std::size_t secret_size = crypto_kdf_KEYBYTES;
constexpr std::size_t key_file_size_max = 4096;
constexpr std::size_t receipt_size_max = 64u << 10;
constexpr char kdf_context[] = "assaykey";  // exactly 8 characters
static_assert(sizeof kdf_context == crypto_kdf_CONTEXTBYTES + 1);

template <std::size_t N>
class Guarded {
public:
    Guarded() : bytes_{static_cast<unsigned char*>(sodium_malloc(N))} { ASSAY_ASSERT(bytes_ != nullptr); }
    ~Guarded() { sodium_free(bytes_); }  // wipes
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;
    unsigned char* get() { return bytes_; }
    const unsigned char* get() const { return bytes_; }

private:
    unsigned char* bytes_;
};

void wipe(std::string& text) { sodium_memzero(text.data(), text.size()); }

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

struct KeyFile {
    std::string bytes;  // whoever takes them wipes them
    std::int64_t from_ms = 0;
};

Result<KeyFile> parse_key_file(std::string_view content, std::string_view kind, std::size_t size, const std::string& path) {
    const Error wrong{Fault::invalid, path + ": is not a line '" + std::string{kind} + " <hex> <milliseconds>'"};
    const auto words = split(trimmed(content), ' ');
    if (words.size() != 3 || words[0] != kind) return wrong;
    auto bytes = from_hex(words[1]);
    if (!bytes || bytes->size() != size) return wrong;
    KeyFile file{std::move(*bytes), 0};
    const auto [end, failure] = std::from_chars(words[2].data(), words[2].data() + words[2].size(), file.from_ms);
    if (failure != std::errc{} || end != words[2].data() + words[2].size()) return wrong;
    return file;
}

Result<KeyFile> load_or_make(const std::string& path, std::string_view kind, std::size_t size, std::int64_t now_ms) {
    auto content = sys::read_file(path, key_file_size_max);
    if (content) {
        auto parsed = parse_key_file(*content, kind, size, path);
        wipe(*content);
        return parsed;
    }
    if (content.error().fault() != Fault::missing) return content.take_error();

    KeyFile made{sys::random_bytes(size), now_ms};
    std::string hex = to_hex(bytes_of(made.bytes));
    std::string line = std::string{kind} + " " + hex + " " + std::to_string(now_ms) + "\n";
    const auto written = sys::write_file_durably(path, line);
    wipe(hex);
    wipe(line);
    if (!written) return written.error();
    return made;
}

}  // namespace

struct Keys::Inner {
    Guarded<crypto_sign_SECRETKEYBYTES> signing;
    Guarded<crypto_auth_hmacsha256_KEYBYTES> hashing;
    Guarded<crypto_secretbox_KEYBYTES> sealing;
    ReceiptKey receipt_key;
};

Keys::Keys(std::unique_ptr<Inner> inner) : inner_{std::move(inner)} {}
Keys::Keys(Keys&&) noexcept = default;
Keys& Keys::operator=(Keys&&) noexcept = default;
Keys::~Keys() = default;

Result<Keys> Keys::open(const std::string& directory, std::int64_t now_ms) {
    if (sodium_init() < 0) return Error{Fault::system, "libsodium: cannot be initialised"};
    auto inner = std::make_unique<Inner>();

    ASSAY_TRY(KeyFile receipt, load_or_make(directory + "/receipt.key", "assay-receipt-key/1", seed_size, now_ms));
    unsigned char public_key[crypto_sign_PUBLICKEYBYTES];
    crypto_sign_seed_keypair(public_key, inner->signing.get(), raw(receipt.bytes));
    wipe(receipt.bytes);
    inner->receipt_key.public_key.assign(reinterpret_cast<const char*>(public_key), sizeof public_key);
    inner->receipt_key.key_id = sys::sha256_hex(bytes_of(inner->receipt_key.public_key)).substr(0, 16);
    inner->receipt_key.from_ms = receipt.from_ms;

    ASSAY_TRY(KeyFile secret, load_or_make(directory + "/secret.key", "assay-secret-key/1", secret_size, now_ms));
    crypto_kdf_derive_from_key(inner->hashing.get(), crypto_auth_hmacsha256_KEYBYTES, 1, kdf_context, raw(secret.bytes));
    crypto_kdf_derive_from_key(inner->sealing.get(), crypto_secretbox_KEYBYTES, 2, kdf_context, raw(secret.bytes));
    wipe(secret.bytes);

    return Keys{std::move(inner)};
}

const std::string& Keys::key_id() const { return inner_->receipt_key.key_id; }
ReceiptKey Keys::public_key() const { return inner_->receipt_key; }

std::string Keys::sign(model::Receipt receipt) const {
    receipt.key_id = key_id();
    const std::string document = model::canonical_json(receipt);
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, raw(document), document.size(),
                         inner_->signing.get());
    return model::signed_json(receipt, to_base64(bytes_of(signature)));
}

std::string Keys::hash(std::string_view purpose, std::string_view secret) const {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, inner_->hashing.get(), crypto_auth_hmacsha256_KEYBYTES);
    crypto_auth_hmacsha256_update(&state, raw(purpose), purpose.size());
    crypto_auth_hmacsha256_update(&state, raw(std::string_view{"\0", 1}), 1);  // Keeps "a"+"bc" and "ab"+"c" apart.
    crypto_auth_hmacsha256_update(&state, raw(secret), secret.size());
    std::string sum(crypto_auth_hmacsha256_BYTES, '\0');
    crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(sum.data()));
    return sum;
}

std::string Keys::seal(std::string_view secret) const {
    std::string sealed = sys::random_bytes(crypto_secretbox_NONCEBYTES);
    sealed.resize(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + secret.size());
    auto* const out = reinterpret_cast<unsigned char*>(sealed.data());
    crypto_secretbox_easy(out + crypto_secretbox_NONCEBYTES, raw(secret), secret.size(), out, inner_->sealing.get());
    return sealed;
}

Result<std::string> Keys::unseal(std::string_view sealed) const {
    constexpr std::size_t overhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    if (sealed.size() < overhead) return Error{Fault::invalid, "a sealed secret is too short"};
    std::string secret(sealed.size() - overhead, '\0');
    if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(secret.data()), raw(sealed) + crypto_secretbox_NONCEBYTES,
                                   sealed.size() - crypto_secretbox_NONCEBYTES, raw(sealed), inner_->sealing.get()) != 0) {
        return Error{Fault::invalid, "a sealed secret was not made with this key, or was changed"};
    }
    return secret;
}

Result<model::Receipt> check_receipt(std::string_view document, std::string_view public_key) {
    if (public_key.size() != crypto_sign_PUBLICKEYBYTES) return Error{Fault::invalid, "the receipt key is not 32 bytes"};
    ASSAY_TRY(const nlohmann::json json, model::parse_json(document, {.size_max = receipt_size_max, .depth_max = 2, .values_max = 32}));
    const auto text = [&](const char* name) -> Result<std::string> {
        const auto at = json.is_object() ? json.find(name) : json.end();
        if (at == json.end() || !at->is_string()) return Error{Fault::invalid, std::string{"the receipt has no text '"} + name + "'"};
        return at->get<std::string>();
    };
    ASSAY_TRY(const std::string type, text("type"));
    if (type != "assay-receipt/1") return Error{Fault::invalid, "the receipt's type is not assay-receipt/1"};
    const auto size = json.find("size");
    if (size == json.end() || !size->is_number_integer() || *size < 0 || *size >= (1LL << 53)) {
        return Error{Fault::invalid, "the receipt has no size"};
    }
    model::Receipt receipt;
    ASSAY_TRY(std::string id, text("id"));
    ASSAY_TRY(std::string course, text("course"));
    ASSAY_TRY(std::string module, text("module"));
    ASSAY_TRY(std::string participant, text("participant"));
    receipt.id = SubmissionId{std::move(id)};
    receipt.course = CourseId{std::move(course)};
    receipt.module = ModuleId{std::move(module)};
    receipt.participant = ParticipantId{std::move(participant)};
    receipt.size = size->get<std::int64_t>();
    ASSAY_TRY(receipt.sha256, text("sha256"));
    ASSAY_TRY(receipt.received_first_byte, text("received_first_byte"));
    ASSAY_TRY(receipt.received_last_byte, text("received_last_byte"));
    ASSAY_TRY(receipt.server, text("server"));
    ASSAY_TRY(receipt.key_id, text("key_id"));

    ASSAY_TRY(const std::string signature_text, text("signature"));
    const auto signature = from_base64(signature_text);
    if (!signature || signature->size() != crypto_sign_BYTES) return Error{Fault::invalid, "the receipt's signature is not base64 of 64 bytes"};
    if (receipt.key_id != sys::sha256_hex(bytes_of(public_key)).substr(0, 16)) {
        return Error{Fault::invalid, "the receipt was signed with another key (" + escaped(receipt.key_id) + ")"};
    }
    // Made again from what was read: a field that is not part of a receipt cannot hide in a checked one.
    if (json.size() != 12) return Error{Fault::invalid, "the receipt has fields that no receipt has"};
    const std::string canonical = model::canonical_json(receipt);
    if (crypto_sign_verify_detached(raw(*signature), raw(canonical), canonical.size(), raw(public_key)) != 0) {
        return Error{Fault::invalid, "the receipt's signature does not fit its content"};
    }
    return receipt;
}

}  // namespace assay::store
