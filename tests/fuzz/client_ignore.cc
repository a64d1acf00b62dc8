// Ignore files that came with somebody's tree: a first line that is a path, then the rules.
#include "base/assert.hh"
#include "client/ignore.hh"

namespace assay {

void fuzz(std::string_view input) {
    const auto end = input.find('\n');
    if (end == std::string_view::npos || end == 0 || end > 1024) return;
    const std::string_view path = input.substr(0, end), rules = input.substr(end + 1);
    client::Ignore ignore;
    if (!ignore.enter("", rules, "")) return;
    for (const bool directory : {false, true}) {
        const auto ruling = ignore.ruling(path, directory);
        if (!ruling) continue;
        ASSAY_ASSERT(ruling->line >= 1);
        ASSAY_ASSERT(ruling->stays != ruling->rule.starts_with('!'));
        // The participant's own file says the same by the same rules, and goes before the other.
        client::Ignore own;
        ASSAY_ASSERT(own.enter("", "*", rules).has_value());
        ASSAY_ASSERT(own.ruling(path, directory)->line == ruling->line);
    }
}

}  // namespace assay
