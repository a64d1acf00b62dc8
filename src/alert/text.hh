// Text: a message as a person reads it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alert/message.hh"
#include "wording/wording.hh"

namespace assay::alert {

struct Text {
    std::string title;               // one line: "[urgent] box: the server takes no uploads"
    std::vector<std::string> lines;  // without newlines
    std::string body() const;        // the lines, each with a newline
};

// Times in `zone`.
Text text_of(const Message&, wording::Language, const std::string& zone);

// At most so many bytes, cut between characters, with "…" where it was.
std::string shortened(std::string text, std::size_t size_max);

}  // namespace assay::alert
