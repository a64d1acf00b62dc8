#include "web/assets.hh"

#include <array>

#include "base/text.hh"
#include "sys/sha256.hh"

namespace assay::web {

namespace {

constexpr std::string_view style_text =
#include "web/style.css.inc"
    ;

constexpr std::string_view page_script_text =
#include "web/page.js.inc"
    ;

constexpr std::string_view icon_text =
    R"svg(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="14" fill="#1d5fc4"/><path d="M9.5 16.5l4.5 4.5 8.5-9.5" fill="none" stroke="#fff" stroke-width="3.2" stroke-linecap="round" stroke-linejoin="round"/></svg>
)svg";

Asset make(std::string_view stem, std::string_view suffix, std::string_view type, std::string_view content) {
    constexpr std::size_t digits = 12;
    const std::string digest = sys::sha256_hex(bytes_of(content)).substr(0, digits);
    return {.name = std::string{stem} + "." + digest + std::string{suffix}, .type = type, .content = content};
}

}  // namespace

const Asset& style() {
    static const Asset made = make("style", ".css", "text/css; charset=utf-8", style_text);
    return made;
}

const Asset& icon() {
    static const Asset made = make("icon", ".svg", "image/svg+xml", icon_text);
    return made;
}

const Asset& page_script() {
    static const Asset made = make("page", ".js", "text/javascript; charset=utf-8", page_script_text);
    return made;
}

const Asset* asset(std::string_view name) {
    for (const Asset* one : {&style(), &icon(), &page_script()}) {
        if (one->name == name) return one;
    }
    return nullptr;
}

}  // namespace assay::web
