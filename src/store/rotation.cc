#include "store/rotation.hh"

namespace assay::store {

Result<> publish_keys(Store& store, const Keys& keys, std::int64_t now_ms) {
    return store.write_and_wait(
        [&](Tx& tx) -> Result<> {
            for (const model::KeyUse use : model::all<model::KeyUse>()) {
                const SigningKey signs = keys.signing_key(use);
                ASSAY_TRY(const auto published, tx.signing_keys(use));
                bool there = false;
                for (SigningKey key : published) {
                    const bool own = key.key_id == signs.key_id;
                    there = there || own;
                    if (key.until_ms.has_value() != own) continue;
                    key.until_ms = own ? std::nullopt : std::optional{now_ms};
                    ASSAY_CHECK(tx.put_signing_key(key));
                }
                if (!there) ASSAY_CHECK(tx.put_signing_key(signs));
            }
            return ok;
        },
        Need::essential);
}

Result<SigningKey> rotate_key(Store& store, Keys& keys, model::KeyUse use, const sys::Clock& clock) {
    const auto alone = keys.one_rotation();
    const auto publish = [&](const SigningKey& fresh) {
        return store.write_and_wait([&](Tx& tx) { return tx.put_signing_key(fresh); });
    };
    auto fresh = keys.replace(use, sys::to_ms(clock.wall()), publish);
    const auto settled = publish_keys(store, keys, sys::to_ms(clock.wall()));  // Whichever of the two signs now.
    if (!fresh) return fresh.take_error();
    if (!settled) return settled.error();
    return fresh;
}

}  // namespace assay::store
