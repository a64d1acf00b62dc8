// Each key file is one line: what it is, its bytes in hex, and since when (milliseconds). Secrets live in sodium's guarded
// memory; everything that passed through an ordinary string on the way is wiped.
#include "store/keys.hh"

#include <sodium.h>

#include <charconv>
#include <utility>

#include "base/assert.hh"
#include "base/text.hh"
#include "sys/file.hh"
#include "sys/random.hh"
#include "sys/sha256.hh"

namespace assay::store {
namespace {

constexpr std::size_t seed_size = crypto_sign_SEEDBYTES;
constexpr std::size_t secret_size = crypto_kdf_KEYBYTES;
constexpr std::size_t key_file_size_max = 4096;
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

Result<> write_key_file(const std::string& path, std::string_view kind, const KeyFile& file) {
    std::string hex = to_hex(bytes_of(file.bytes));
    std::string line = std::string{kind} + " " + hex + " " + std::to_string(file.from_ms) + "\n";
    auto written = sys::write_file_durably(path, line);
    wipe(hex);
    wipe(line);
    return written;
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
    if (auto written = write_key_file(path, kind, made); !written) return written.take_error();
    return made;
}

struct SigningFile {
    std::string_view name, kind;
};
SigningFile file_of(model::KeyUse use) {
    switch (use) {
        case model::KeyUse::receipt: break;
        case model::KeyUse::commitment: return {"/commitment.key", "assay-commitment-key/1"};
    }
    return {"/receipt.key", "assay-receipt-key/1"};
}

}  // namespace

// A key pair in use, and the seed it was made from.
struct Keys::Signer {
    Guarded<crypto_sign_SECRETKEYBYTES> secret;
    SigningKey published;

    static std::shared_ptr<const Signer> of(model::KeyUse use, const KeyFile& file) {
        const auto signer = std::make_shared<Signer>();
        unsigned char public_key[crypto_sign_PUBLICKEYBYTES];
        crypto_sign_seed_keypair(public_key, signer->secret.get(), raw(file.bytes));
        signer->published = {.use = use, .key_id = {}, .public_key = std::string{reinterpret_cast<const char*>(public_key), sizeof public_key},
                             .from_ms = file.from_ms, .until_ms = {}};
        signer->published.key_id = sys::sha256_hex(bytes_of(signer->published.public_key)).substr(0, 16);
        return signer;
    }
    template <class Document>
    std::string sign(Document document) const {
        document.key_id = published.key_id;
        const std::string content = model::canonical_json(document);
        std::string signature(crypto_sign_BYTES, '\0');
        crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, raw(content), content.size(), secret.get());
        return model::signed_json(document, to_base64(bytes_of(signature)));
    }
};

struct Keys::Inner {
    std::string directory;
    Guarded<crypto_auth_hmacsha256_KEYBYTES> hashing;
    Guarded<crypto_secretbox_KEYBYTES> sealing;
    std::mutex rotating;
    mutable std::mutex mutex;
    std::shared_ptr<const Signer> signers[2];  // by use; under the mutex

    std::shared_ptr<const Signer> signer(model::KeyUse use) const {
        const std::lock_guard lock{mutex};
        return signers[static_cast<std::size_t>(use)];
    }
    void set(model::KeyUse use, std::shared_ptr<const Signer> signer) {
        const std::lock_guard lock{mutex};
        signers[static_cast<std::size_t>(use)] = std::move(signer);
    }
};

Keys::Keys(std::unique_ptr<Inner> inner) : inner_{std::move(inner)} {}
Keys::Keys(Keys&&) noexcept = default;
Keys& Keys::operator=(Keys&&) noexcept = default;
Keys::~Keys() = default;

Result<Keys> Keys::open(const std::string& directory, std::int64_t now_ms) {
    if (sodium_init() < 0) return Error{Fault::system, "libsodium: cannot be initialised"};
    auto inner = std::make_unique<Inner>();
    inner->directory = directory;
    for (const model::KeyUse use : model::all<model::KeyUse>()) {
        const SigningFile file = file_of(use);
        ASSAY_TRY(KeyFile seed, load_or_make(directory + std::string{file.name}, file.kind, seed_size, now_ms));
        inner->set(use, Signer::of(use, seed));
        wipe(seed.bytes);
    }
    ASSAY_TRY(KeyFile secret, load_or_make(directory + "/secret.key", "assay-secret-key/1", secret_size, now_ms));
    crypto_kdf_derive_from_key(inner->hashing.get(), crypto_auth_hmacsha256_KEYBYTES, 1, kdf_context, raw(secret.bytes));
    crypto_kdf_derive_from_key(inner->sealing.get(), crypto_secretbox_KEYBYTES, 2, kdf_context, raw(secret.bytes));
    wipe(secret.bytes);

    return Keys{std::move(inner)};
}

SigningKey Keys::signing_key(model::KeyUse use) const { return inner_->signer(use)->published; }
std::string Keys::sign(const model::Receipt& receipt) const { return inner_->signer(model::KeyUse::receipt)->sign(receipt); }
std::string Keys::sign(const model::Commitment& commitment) const { return inner_->signer(model::KeyUse::commitment)->sign(commitment); }

std::unique_lock<std::mutex> Keys::one_rotation() { return std::unique_lock{inner_->rotating}; }

Result<SigningKey> Keys::replace(model::KeyUse use, std::int64_t now_ms, const std::function<Result<>(const SigningKey&)>& publish) {
    KeyFile seed{sys::random_bytes(seed_size), now_ms};
    auto fresh = Signer::of(use, seed);
    const SigningFile file = file_of(use);
    auto there = publish(fresh->published);
    if (there) there = write_key_file(inner_->directory + std::string{file.name}, file.kind, seed);
    wipe(seed.bytes);
    if (!there) return there.take_error();
    SigningKey published = fresh->published;
    inner_->set(use, std::move(fresh));
    return published;
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

}  // namespace assay::store
