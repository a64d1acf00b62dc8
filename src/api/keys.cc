#include "api/keys.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "store/rotation.hh"
#include "sys/zone.hh"

namespace assay::api {
namespace {

using Json = nlohmann::ordered_json;

std::string time(std::int64_t ms) { return sys::rfc3339(sys::wall_from_ms(ms), "UTC"); }

Json json_of(const store::SigningKey& key) {
    return {{"key_id", key.key_id},
            {"public_key", to_base64(bytes_of(key.public_key))},
            {"from", time(key.from_ms)},
            {"until", key.until_ms ? Json(time(*key.until_ms)) : Json(nullptr)}};
}

Json with_use(const store::SigningKey& key) {
    Json json{{"use", model::to_string(key.use)}};
    json.update(json_of(key));
    return json;
}

}  // namespace

Result<std::string> public_keys_json(store::Store& store, model::KeyUse use) {
    Json list = Json::array();
    ASSAY_CHECK(store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto keys, reading.signing_keys(use));
        for (const store::SigningKey& key : keys) list.push_back(json_of(key));
        return ok;
    }));
    return Json{{"keys", std::move(list)}}.dump();
}

Result<std::string> keys_json(store::Store& store) {
    Json list = Json::array();
    ASSAY_CHECK(store.read([&](store::Reading& reading) -> Result<> {
        for (const model::KeyUse use : model::all<model::KeyUse>()) {
            ASSAY_TRY(const auto keys, reading.signing_keys(use));
            for (const store::SigningKey& key : keys) list.push_back(with_use(key));
        }
        return ok;
    }));
    return Json{{"keys", std::move(list)}}.dump();
}

Result<std::string> keys_text(std::string_view keys_json) {
    const Json json = Json::parse(keys_json, nullptr, false);
    if (!json.is_object() || !json.contains("keys"))
        return Error{Fault::invalid, "the server's list of keys cannot be read"};
    std::string lines;
    for (const Json& key : json["keys"]) {
        const std::string until =
            key.value("until", Json()).is_string() ? "until " + key.value("until", "") : "signs now";
        lines += fmt::format("{:<10}  {}  {}  from {}  {}\n", key.value("use", ""), key.value("key_id", ""),
                             key.value("public_key", ""), key.value("from", ""), until);
    }
    return lines;
}

Result<std::string> rotate_key(store::Store& store, store::Keys& keys, model::KeyUse use, const sys::Clock& clock,
                               bool json) {
    ASSAY_TRY(const store::SigningKey fresh, store::rotate_key(store, keys, use, clock));
    if (json) return with_use(fresh).dump();
    return fmt::format("a new key signs each {}: {}, public key {}; what older keys signed stays valid",
                       model::to_string(use), fresh.key_id, to_base64(bytes_of(fresh.public_key)));
}

}  // namespace assay::api
