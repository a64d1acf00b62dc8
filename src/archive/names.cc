// What a name may be, and which names match a pattern. Pure.
#include <algorithm>

#include <fmt/format.h>

#include "archive/tree.hh"
#include "base/text.hh"

namespace assay::archive {
namespace {

// Why a name or link target holds bytes that could mislead a person or another system; empty = it does not.
std::string_view bad_bytes(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto code = next_code_point(text, at);
        if (!code) return "is not valid UTF-8";
        if (*code < 0x20 || (*code >= 0x7F && *code < 0xA0)) return "holds a control character";
        if (bidi_or_invisible(*code) || *code == 0x2028 || *code == 0x2029) return "holds an invisible or direction-changing character";
        if (*code == '\\') return "holds a backslash";
    }
    return {};
}

bool drive_letter(std::string_view text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return text.size() >= 2 && letter(text[0]) && text[1] == ':';
}

// One component against one glob component. A mismatch goes back to the last star only, so it is never exponential.
bool component_matches(std::string_view glob, std::string_view name) {
    std::size_t g = 0, n = 0;
    std::size_t star = std::string_view::npos, star_name = 0;
    while (n < name.size()) {
        std::size_t next_g = g, next_n = n;
        const auto code = next_code_point(name, next_n);
        bool matches = false;
        if (g < glob.size() && glob[g] == '*') {
            star = g++;
            star_name = n;
            continue;
        }
        const std::size_t close = g < glob.size() && glob[g] == '[' ? glob.find(']', g + 2) : std::string_view::npos;
        if (g < glob.size() && glob[g] == '?') {
            matches = true;
            next_g = g + 1;
        } else if (close != std::string_view::npos) {
            const bool negated = glob[g + 1] == '!' || glob[g + 1] == '^';
            bool inside = false;
            for (std::size_t at = g + (negated ? 2 : 1); at < close;) {
                const auto low = next_code_point(glob, at);
                auto high = low;
                if (at + 1 < close && glob[at] == '-') high = next_code_point(glob, ++at);
                inside = inside || (code && low && high && *low <= *code && *code <= *high);
            }
            matches = inside != negated;
            next_g = close + 1;
        } else if (g < glob.size()) {
            const std::size_t size = next_n - n;
            matches = glob.substr(g, size) == name.substr(n, size);
            next_g = g + size;
        }
        if (matches) {
            g = next_g;
            n = next_n;
        } else if (star != std::string_view::npos) {
            g = star + 1;
            next_code_point(name, star_name);
            n = star_name;
        } else {
            return false;
        }
    }
    return glob.find_first_not_of('*', g) == std::string_view::npos;
}

}  // namespace

std::optional<std::string> clean_path(std::string_view raw, std::string& why) {
    const auto no = [&](std::string_view reason) -> std::optional<std::string> {
        why = reason;
        return std::nullopt;
    };
    if (raw.empty()) return no("an empty name");
    if (raw.size() > 2 * path_bytes_max) return no(fmt::format("a name longer than {} bytes", path_bytes_max));
    if (const auto bad = bad_bytes(raw); !bad.empty()) return no(fmt::format("the name {}", bad));
    if (raw.front() == '/') return no("an absolute name");
    if (drive_letter(raw)) return no("a name that begins with a drive letter");
    std::string clean;
    std::size_t depth = 0;
    for (const std::string_view component : split(raw, '/')) {
        if (component.empty() || component == ".") continue;
        if (component == "..") return no("a name with '..' in it");
        if (component.size() > component_bytes_max) return no(fmt::format("a name with a part longer than {} bytes", component_bytes_max));
        if (clean.empty() && drive_letter(component)) return no("a name that begins with a drive letter");
        if (++depth > path_depth_max) return no(fmt::format("a name more than {} folders deep", path_depth_max));
        if (!clean.empty()) clean += '/';
        clean += component;
    }
    if (clean.size() > path_bytes_max) return no(fmt::format("a name longer than {} bytes", path_bytes_max));
    return clean;
}

std::string_view link_problem(std::string_view target, std::size_t depth) {
    if (target.empty()) return "a link without a target";
    if (target.size() > path_bytes_max) return "a link with a target that is too long";
    if (!bad_bytes(target).empty()) return "a link whose target holds characters that are not allowed";
    if (target.front() == '/' || drive_letter(target)) return "a link with an absolute target";
    // ".." after a name is refused although it may look harmless: that name could be a link, and ".." of where it leads is elsewhere.
    std::size_t up = 0;
    bool named = false;
    for (const std::string_view component : split(target, '/')) {
        if (component.empty() || component == ".") continue;
        if (component != "..") named = true;
        else if (named) return "a link whose target has '..' after a name";
        else if (++up > depth) return "a link that leads outside the archive";
    }
    return {};
}

bool glob_matches(std::string_view glob, std::string_view path) {
    const auto globs = split(glob, '/');
    const auto parts = split(path, '/');
    return globs.size() == parts.size() && std::ranges::equal(globs, parts, component_matches);
}

bool ignored(std::span<const std::string> patterns, std::string_view path, bool directory) {
    for (std::string_view pattern : patterns) {
        const bool only_directories = pattern.ends_with('/');
        if (only_directories) pattern.remove_suffix(1);
        if (pattern.empty()) continue;
        const bool from_root = pattern.contains('/');
        for (std::size_t from = 0;;) {
            const std::size_t slash = path.find('/', from);
            const bool is_directory = directory || slash != std::string_view::npos;
            const std::string_view candidate = from_root ? path.substr(0, slash) : path.substr(from, slash - from);
            if ((is_directory || !only_directories) && (from_root ? glob_matches(pattern, candidate) : component_matches(pattern, candidate))) {
                return true;
            }
            if (slash == std::string_view::npos) break;
            from = slash + 1;
        }
    }
    return false;
}

}  // namespace assay::archive
