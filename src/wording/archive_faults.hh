// What stands in brackets behind an upload's refusal: what is wrong with the archive and where, or with the form, or why there was
// no turn for it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/archive_fault.hh"
#include "wording/wording.hh"

namespace assay::wording {

// Where in the archive. What is empty or 0 is not said; limit and value only together.
struct Place {
    std::string_view entry;
    std::optional<std::int64_t> limit;
    std::optional<std::int64_t> value;
    std::int64_t offset = 0;
};

// "a hard link to 'x', which is no earlier file, entry 'y', at byte 512". As many arguments as model::argument_count says.
std::string sentence(Language, model::ArchiveFault, std::span<const std::string> arguments, const Place& = {});

enum class FormFault : unsigned char {
    token_in_address,
    field_missing,   // {0} the field
    field_twice,     // {0} the field
    field_too_long,  // {0} bytes
    cut,
    broken,          // {0} how, in the words of the form's own format (English)
    json_broken,     // {0} likewise
    sha256_unreadable,
    size_unreadable,
    sha256_differs,  // {0} what arrived
    size_differs,    // {0} bytes that arrived
    key_unreadable,  // {0} characters at most
    key_reused,      // {0} the submission it stands for
};
std::string sentence(Language, FormFault, std::string_view argument = {});

// Why an archive was not checked, or not even received (`under_way`). `own`: so many more of the same participant's wait.
enum class TurnFault : unsigned char { no_room, too_late, under_way };
std::string sentence(Language, TurnFault, std::size_t own);

// A refusal's sentence, and what it is about in brackets.
std::string with_detail(Language, std::string_view sentence, std::string_view detail);

}  // namespace assay::wording
