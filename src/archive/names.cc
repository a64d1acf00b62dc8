// What a name may be, and which names match a pattern. Pure.
#include <algorithm>

#include "archive/tree.hh"
#include "base/text.hh"

namespace assay::archive {
namespace {

// Whether a name or link target holds bytes that could mislead a person or another system.
std::optional<ArchiveFault> bad_bytes(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto code = next_code_point(text, at);
        if (!code) return ArchiveFault::name_encoding;
        const bool control = *code < 0x20 || (*code >= 0x7F && *code < 0xA0);
        if (control || bidi_or_invisible(*code) || *code == 0x2028 || *code == 0x2029) return ArchiveFault::name_invisible;
        if (*code == '\\') return ArchiveFault::name_backslash;
    }
    return std::nullopt;
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

std::expected<std::string, Refused> clean_path(std::string_view raw) {
    const auto no = [](ArchiveFault fault) { return std::unexpected{Refused{.fault = fault}}; };
    const auto more_than = [](ArchiveFault fault, std::size_t limit, std::size_t value) {
        return std::unexpected{Refused{.fault = fault, .arguments = {std::to_string(limit)},
                                       .limit = static_cast<std::int64_t>(limit), .value = static_cast<std::int64_t>(value)}};
    };
    if (raw.empty()) return no(ArchiveFault::name_empty);
    if (raw.size() > 2 * path_bytes_max) return more_than(ArchiveFault::name_too_long, path_bytes_max, raw.size());
    if (const auto bad = bad_bytes(raw)) {
        if (*bad == ArchiveFault::name_encoding) return std::unexpected{Refused{.fault = *bad, .arguments = {"UTF-8"}}};
        return no(*bad);
    }
    if (raw.front() == '/' || drive_letter(raw)) return no(ArchiveFault::name_absolute);
    std::string clean;
    std::size_t depth = 0;
    for (const std::string_view component : split(raw, '/')) {
        if (component.empty() || component == ".") continue;
        if (component == "..") return no(ArchiveFault::name_upward);
        if (component.size() > component_bytes_max) return more_than(ArchiveFault::name_too_long, component_bytes_max, component.size());
        if (clean.empty() && drive_letter(component)) return no(ArchiveFault::name_absolute);
        if (++depth > path_depth_max) return more_than(ArchiveFault::name_too_deep, path_depth_max, depth);
        if (!clean.empty()) clean += '/';
        clean += component;
    }
    if (clean.size() > path_bytes_max) return more_than(ArchiveFault::name_too_long, path_bytes_max, clean.size());
    return clean;
}

std::optional<ArchiveFault> link_fault(std::string_view target, std::size_t depth) {
    if (target.empty() || target.size() > path_bytes_max || bad_bytes(target)) return ArchiveFault::link_target;
    if (target.front() == '/' || drive_letter(target)) return ArchiveFault::link_absolute;
    // ".." after a name is refused although it may look harmless: that name could be a link, and ".." of where it leads is elsewhere.
    std::size_t up = 0;
    bool named = false;
    for (const std::string_view component : split(target, '/')) {
        if (component.empty() || component == ".") continue;
        if (component != "..") named = true;
        else if (named) return ArchiveFault::link_upward;
        else if (++up > depth) return ArchiveFault::link_outside;
    }
    return std::nullopt;
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
