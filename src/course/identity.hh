// Identity: which participant a secret belongs to. The one place where a token or key that came from outside is looked up.
// Threading: none of its own; the reading's rules apply.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "store/keys.hh"
#include "store/store.hh"

namespace assay::course {

constexpr std::size_t secret_bytes_max = 256;  // a longer token or key is nobody's

// Whose token this is, as typed by a person: at most one participant per course. Empty: nobody's. Inactive ones are among them.
Result<std::vector<store::Participant>> who(store::Reading& reading, const store::Keys& keys, std::string_view token);

// Whose read-only link key this is in the course. nullopt: nobody's.
Result<std::optional<store::Participant>> who_by_key(store::Reading& reading, const store::Keys& keys, const CourseId& course,
                                                     std::string_view key);

}  // namespace assay::course
