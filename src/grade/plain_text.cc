// Markup that graders write, as text: nothing of theirs is ever put into a page as it is.
#include <algorithm>
#include <array>

#include "base/text.hh"
#include "grade/reports.hh"

namespace assay::grade {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> entities{
    {{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&nbsp;", " "}, {"&amp;", "&"}}};
constexpr std::string_view breaking[] = {"br", "/p", "/div", "/li", "/tr", "/pre", "/h1", "/h2", "/h3", "/h4", "hr"};

// Of the tag whose inside this is: "br /", "p class=x".
bool breaks_line(std::string_view tag) {
    const std::string name = lower_ascii(tag.substr(0, std::min(tag.find_first_of(" \t\r\n"), tag.size())));
    return std::ranges::any_of(breaking, [&](std::string_view word) { return name == word || name == std::string{word} + "/"; });
}

std::string without_tags(std::string_view html) {
    std::string text;
    for (std::size_t at = 0; at < html.size();) {
        const std::string_view rest = html.substr(at);
        if (rest.front() == '<') {
            const std::size_t end = rest.find('>');
            if (end != std::string_view::npos) {
                if (breaks_line(rest.substr(1, end - 1))) text += '\n';
                at += end + 1;
                continue;
            }
        }
        const auto entity = std::ranges::find_if(entities, [&](const auto& it) { return rest.starts_with(it.first); });
        if (entity != entities.end()) {
            text += entity->second;
            at += entity->first.size();
            continue;
        }
        text += rest.front();
        ++at;
    }
    return text;
}

// CSI sequences (ESC [ … final byte) and other escapes of two bytes.
std::string without_escapes(std::string_view ansi) {
    std::string text;
    for (std::size_t at = 0; at < ansi.size(); ++at) {
        if (ansi[at] != '\x1b') {
            text += ansi[at];
            continue;
        }
        if (++at >= ansi.size() || ansi[at] != '[') continue;
        while (++at < ansi.size() && !(ansi[at] >= '@' && ansi[at] <= '~')) {
        }
    }
    return text;
}

}  // namespace

std::string plain_text(std::string_view format, std::string_view text) {
    if (format == "html") return without_tags(text);
    if (format == "ansi") return without_escapes(text);
    return std::string{text};
}

}  // namespace assay::grade
