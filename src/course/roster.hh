// Roster: who takes part. What staff do to the list beyond reading it in and out (course.hh). All blocking; each change is one
// transaction. Errors: missing (no such course, participant or module), invalid, the store's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "course/course.hh"

namespace assay::course {

// The roster's text as UTF-8: UTF-8 with or without a byte-order mark, else GB18030, which spreadsheets write in Chinese. Errors:
// invalid (neither of them).
Result<std::string> roster_text(std::string_view bytes);

// Whom `import --sync` would make inactive: active ones that the file does not name. By id.
Result<std::vector<store::Participant>> missing_from(store::Store&, const CourseId&, const std::vector<RosterRow>&);
// One line each, or a JSON list of {id, name}.
std::string missing_text(const std::vector<store::Participant>&, bool json);

// Gives the participant a new token, or a new key and so new links; the old one is void from then on.
enum class Secret { token, key };
Result<std::string> reset_secret(store::Store&, const store::Keys&, const CourseId&, const ParticipantId&, Secret);
std::string reset_text(const ParticipantId&, Secret, const std::string& fresh, bool json);

// Moves the participant's `due`, and `closes` unless it is later anyway, to `until`: a date and time as in module.toml, in the course's
// zone unless it has an offset; a date alone is its last second. Returns what is printed.
Result<std::string> extend(store::Store&, const CourseId&, const ParticipantId&, const ModuleId&, const std::string& until, bool json);

}  // namespace assay::course
