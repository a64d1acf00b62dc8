// Shown: what a stranger's program or form printed, made harmless to look at in a page or terminal and still readable.
#pragma once

#include <string>
#include <string_view>

namespace assay {

// Newlines and tabs stay, CR LF becomes a newline. Other control characters become their pictures (ESC is ␛), characters that
// reorder or hide text their number (⟨U+202E⟩), invalid bytes U+FFFD. At most 6 bytes for each one of `text`.
std::string shown(std::string_view text);

// The first and last `size_max` / 2 bytes of a longer text, cut between code points, and how many bytes are left out.
struct Ends {
    std::string_view head;
    std::string_view tail;            // empty when nothing is left out
    std::size_t left_out_bytes = 0;
};
Ends ends_of(std::string_view text, std::size_t size_max);

}  // namespace assay
