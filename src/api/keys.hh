// Keys: what is published of the keys that sign, and staff's commands on them. Blocking; each returns what is printed or answered.
#pragma once

#include <span>
#include <string>

#include "store/keys.hh"
#include "store/store.hh"
#include "sys/clock.hh"

namespace assay::api {

// {"keys": [{key_id, public_key, from, until}]}, oldest first.
Result<std::string> public_keys_json(store::Store&, model::KeyUse);

// The same of all keys, each with its `use`.
Result<std::string> keys_json(store::Store&);
// One key a line.
Result<std::string> keys_text(std::string_view keys_json);

// A fresh key takes the place of the one that signs now. `json`: the fresh one as an object, else a line.
Result<std::string> rotate_key(store::Store&, store::Keys&, model::KeyUse, const sys::Clock&, bool json);

}  // namespace assay::api
