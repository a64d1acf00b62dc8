#include "http/parameters.hh"

#include <algorithm>

#include "base/text.hh"
#include "http/head.hh"

namespace assay::http {
namespace {

// Reads the quoted string that `rest` starts with and removes it; nullopt when it does not end.
std::optional<std::string> take_quoted(std::string_view& rest) {
    std::string value;
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '"') {
            rest.remove_prefix(i + 1);
            return value;
        }
        const bool escape = rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\');
        if (escape) ++i;
        value += rest[i];
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::vector<std::pair<std::string, std::string>>> parse_parameters(std::string_view tail) {
    std::vector<std::pair<std::string, std::string>> found;
    for (std::string_view rest = trimmed(tail); !rest.empty(); rest = trimmed(rest)) {
        if (rest.front() != ';') return std::nullopt;
        rest = trimmed(rest.substr(1));
        if (rest.empty()) break;  // A last ';' with nothing behind it is common and harmless.
        const std::size_t equals = rest.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        std::string name = lower_ascii(trimmed(rest.substr(0, equals)));
        if (!is_token(name)) return std::nullopt;
        rest = trimmed(rest.substr(equals + 1));
        std::string value;
        if (rest.starts_with('"')) {
            std::optional<std::string> quoted = take_quoted(rest);
            if (!quoted) return std::nullopt;
            value = std::move(*quoted);
        } else {
            const std::string_view word = rest.substr(0, rest.find(';'));
            value = trimmed(word);
            rest.remove_prefix(word.size());
        }
        if (std::ranges::any_of(found, [&](const auto& earlier) { return earlier.first == name; })) return std::nullopt;
        found.emplace_back(std::move(name), std::move(value));
    }
    return found;
}

}  // namespace assay::http
