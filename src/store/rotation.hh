// Rotation: the keys in keys/ and the published ones in the database, brought together, and a key that takes another's place.
//
// Whatever was signed stays valid: public keys are never forgotten. The order survives a kill -9 at any point: the fresh key is
// published, then its file takes the old one's place, then it signs, then the old one is given its end. What a kill left undone
// publish_keys() does at the next start; a key that was published and never put in place has signed nothing.
#pragma once

#include "store/keys.hh"
#include "store/store.hh"
#include "sys/clock.hh"

namespace assay::store {

// Each key that signs is among the published ones, without an end, and all others of its use have one: `now_ms` where there was
// none. Before the first document is signed.
Result<> publish_keys(Store&, const Keys&, std::int64_t now_ms);

// Not on a loop thread. Errors: disk_full, busy, system; the old key goes on signing then. Returns the fresh one.
Result<SigningKey> rotate_key(Store&, Keys&, model::KeyUse, const sys::Clock&);

}  // namespace assay::store
