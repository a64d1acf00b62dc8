#include "client/warnings.hh"

#include <algorithm>
#include <array>
#include <optional>

#include "archive/patterns.hh"
#include "base/text.hh"

namespace assay::client {
namespace {

constexpr std::array<std::string_view, 11> product_folders{"__pycache__", "node_modules",  ".venv",       "venv",
                                                           ".tox",        ".pytest_cache", ".mypy_cache", ".gradle",
                                                           "CMakeFiles",  ".vs",           ".ccls-cache"};
constexpr std::array<std::string_view, 10> product_suffixes{".o",     ".obj", ".lo",  ".pyc", ".pyo",
                                                            ".class", ".gch", ".pch", ".pdb", ".ilk"};
constexpr std::array<std::string_view, 3> makefiles{"Makefile", "makefile", "GNUmakefile"};
constexpr std::array<std::string_view, 4> reserved{"con", "prn", "aux", "nul"};

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// The outermost folder around `path` that only tools fill.
std::optional<std::string_view> product_folder(std::string_view path) {
    const auto parts = split(path, '/');
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        if (std::ranges::find(product_folders, parts[i]) != product_folders.end()) return parts[i];
    }
    return std::nullopt;
}

std::optional<std::string_view> product_suffix(std::string_view name) {
    const auto suffix = std::ranges::find_if(
        product_suffixes, [&](std::string_view one) { return name.size() > one.size() && name.ends_with(one); });
    return suffix == product_suffixes.end() ? std::nullopt : std::optional{*suffix};
}

// ELF, Windows' PE behind its DOS header, Mach-O of 64 bits.
bool is_program(std::string_view content) {
    if (content.starts_with("\x7F"
                            "ELF") ||
        content.starts_with("\xCF\xFA\xED\xFE"))
        return true;
    constexpr std::size_t pointer_at = 0x3C;
    if (!content.starts_with("MZ") || content.size() < pointer_at + 4) return false;
    std::size_t at = 0;
    for (std::size_t i = 4; i-- > 0;) at = at << 8 | static_cast<unsigned char>(content[pointer_at + i]);
    return at < content.size() && content.substr(at).starts_with(std::string_view{"PE\0\0", 4});
}

bool is_makefile(std::string_view name) {
    return std::ranges::find(makefiles, name) != makefiles.end() || (name.size() > 3 && name.ends_with(".mk"));
}

bool windows_lacks(std::string_view name) {
    if (name.ends_with('.') || name.ends_with(' ') || name.find_first_of("<>:\"|?*") != std::string_view::npos)
        return true;
    std::string stem = lower_ascii(name.substr(0, name.find('.')));
    while (stem.ends_with(' ')) stem.pop_back();
    if (std::ranges::find(reserved, stem) != reserved.end()) return true;
    return stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) && stem[3] >= '1' && stem[3] <= '9';
}

}  // namespace

std::string_view to_string(Warning::Kind kind) {
    switch (kind) {
        case Warning::Kind::crlf_script: return "crlf_script";
        case Warning::Kind::crlf_makefile: return "crlf_makefile";
        case Warning::Kind::product: return "product";
        case Warning::Kind::windows_name: return "windows_name";
        case Warning::Kind::kept_back: return "kept_back";
    }
    return "";
}

std::string rule_for(std::string_view path, bool directory) {
    std::string rule = "/";
    for (const char c : path) {
        if (std::string_view{"*?[\\"}.contains(c)) rule += '\\';
        rule += c;
    }
    if (directory) return rule + "/";
    if (rule.ends_with(' ')) rule.insert(rule.size() - 1, "\\");
    return rule;
}

void Watch::product(const std::string& rule, const archive::Entry& entry) {
    const auto [at, fresh] = products_.try_emplace(
        rule, Warning{.kind = Warning::Kind::product, .path = entry.path, .count = 0, .rule = rule});
    ++at->second.count;
    at->second.size += entry.size;
}

void Watch::see(const archive::Entry& entry, std::string_view content, bool meant) {
    const std::string_view name = last_part(entry.path);
    if (const auto folder = product_folder(entry.path); folder && !meant)
        return product(std::string{*folder} + "/", entry);
    const bool wanted = meant || std::ranges::any_of(required_, [&](const std::string& glob) {
                            return archive::glob_matches(glob, entry.path);
                        });
    if (const auto suffix = product_suffix(name); suffix && !wanted)
        return product("*" + std::string{*suffix}, entry);
    if (is_program(content) && !wanted) return product(rule_for(entry.path, false), entry);
    if (!content.contains("\r\n")) return;
    const std::int64_t size = entry.size;
    if (content.starts_with("#!"))
        line_ends_.push_back({.kind = Warning::Kind::crlf_script, .path = entry.path, .size = size});
    else if (is_makefile(name))
        line_ends_.push_back({.kind = Warning::Kind::crlf_makefile, .path = entry.path, .size = size});
}

std::vector<Warning> Watch::warnings(const std::vector<archive::Entry>& entries) const {
    std::vector<Warning> all = line_ends_;
    for (const archive::Entry& entry : entries) {
        if (windows_lacks(last_part(entry.path)))
            all.push_back({.kind = Warning::Kind::windows_name, .path = entry.path});
    }
    const auto names = static_cast<std::ptrdiff_t>(all.size());
    for (const auto& [rule, warning] : products_) all.push_back(warning);
    std::sort(all.begin() + names, all.end(),
              [](const Warning& a, const Warning& b) { return a.size != b.size ? a.size > b.size : a.rule < b.rule; });
    return all;
}

}  // namespace assay::client
