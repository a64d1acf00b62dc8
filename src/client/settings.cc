#include "client/settings.hh"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>

#include "base/text.hh"
#include "sys/file.hh"
#include "wording/client_side.hh"

namespace assay::client {
namespace {

using wording::ClientSide;
using wording::Language;

constexpr std::array<std::string_view, 4> known{"server", "course", "module", "ca_file"};
constexpr std::size_t tokens_max = 1000;
constexpr std::uint32_t others_bits = 0077;

std::optional<std::string>& field(Settings& settings, std::string_view key) {
    return key == "server" ? settings.server : key == "course" ? settings.course : key == "module" ? settings.module : settings.ca_file;
}

// nullopt: there is no such file.
Result<std::optional<std::string>> read_if_there(const std::string& path) {
    auto text = sys::read_file(path, settings_bytes_max);
    if (text) return std::optional{std::move(*text)};
    if (text.error().fault() == Fault::missing) return std::optional<std::string>{};
    return text.take_error();
}

Result<Settings> settings_in(const std::string& path, Language language) {
    ASSAY_TRY(const auto text, read_if_there(path));
    return text ? settings_from_toml(*text, path, language) : Result<Settings>{Settings{}};
}

bool one_word(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c != '\x7f'; });
}

bool clean_path(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; });
}

}  // namespace

Result<Settings> settings_from_toml(const std::string& text, const std::string& name, Language language) {
    Settings settings;
    try {
        const toml::table table = toml::parse(text, name);
        for (const auto& [key, node] : table) {
            const auto line = node.source().begin.line;
            if (std::ranges::find(known, key.str()) == known.end()) {
                std::string said = fmt::format("{}:{}: {}", name, line,
                                               say(language, ClientSide::setting_unknown, {escaped(key.str())}));
                if (const auto near = nearest(key.str(), known))
                    said += say(language, ClientSide::setting_near, {*near});
                return Error{Fault::invalid, said};
            }
            const auto value = node.value<std::string>();
            if (!value || !node.is_string() || !(key.str() == "ca_file" ? clean_path(*value) : one_word(*value))) {
                return Error{Fault::invalid, fmt::format("{}:{}: {}", name, line,
                                                         say(language, ClientSide::setting_text, {key.str()}))};
            }
            field(settings, key.str()) = *value;
        }
    } catch (const toml::parse_error& error) {
        return Error{Fault::invalid, fmt::format("{}:{}: {}", name, error.source().begin.line,
                                                  say(language, ClientSide::setting_syntax, {error.description()}))};
    }
    return settings;
}

Settings over(Settings first, const Settings& then) {
    if (!first.server) first.server = then.server;
    if (!first.course) first.course = then.course;
    if (!first.module) first.module = then.module;
    if (!first.ca_file) first.ca_file = then.ca_file;
    return first;
}

Settings settings_from(const Variables& variables) {
    return {.server = variables("ASSAY_SERVER"), .course = variables("ASSAY_COURSE"), .module = variables("ASSAY_MODULE"), .ca_file = variables("ASSAY_CA_FILE")};
}

std::string user_folder(const Variables& variables) {
    if (const auto home = variables("XDG_CONFIG_HOME")) return *home + "/assay";
    if (const auto home = variables("APPDATA")) return *home + "/assay";  // Windows, whatever a shell there calls home
    if (const auto home = variables("HOME")) return *home + "/.config/assay";
    return {};
}

Result<Settings> settings(const Settings& flags, const Variables& variables, const std::string& folder,
                          Language language) {
    Settings found = over(flags, settings_from(variables));
    std::string at = folder;
    for (int i = 0; i < folders_upward_max; ++i) {
        const std::string path = (at.ends_with('/') ? at : at + "/") + std::string{project_file_name};
        ASSAY_TRY(const auto text, read_if_there(path));
        if (text) {
            ASSAY_TRY(const Settings project, settings_from_toml(*text, path, language));
            // Whoever wrote it must not decide who may pass for the server that gets a token.
            if (project.ca_file) return Error{Fault::invalid, say(language, ClientSide::setting_not_here, {path, "ca_file", "ASSAY_CA_FILE"})};
            found = over(std::move(found), project);
            break;
        }
        const std::size_t slash = at.rfind('/');
        if (at == "/" || slash == std::string::npos) break;
        at.resize(slash);
        if (at.empty()) at = "/";
    }
    if (const std::string own = user_folder(variables); !own.empty()) {
        ASSAY_TRY(const Settings user, settings_in(own + "/config.toml", language));
        found = over(std::move(found), user);
    }
    return found;
}

Result<std::vector<StoredToken>> tokens_from(std::string_view text, Language language) {
    std::vector<StoredToken> tokens;
    int number = 0;
    for (const std::string_view line : split(text, '\n')) {
        ++number;
        if (trimmed(line).empty()) continue;
        const auto words = split(trimmed(line), ' ');
        if (words.size() != 3 || !std::ranges::all_of(words, one_word) || tokens.size() >= tokens_max) {
            return Error{Fault::invalid, say(language, ClientSide::token_line, {std::to_string(number)})};
        }
        tokens.push_back({std::string{words[0]}, std::string{words[1]}, std::string{words[2]}});
    }
    return tokens;
}

Result<FoundToken> token_for(const Variables& variables, const std::string& server, const std::string& course,
                             Language language) {
    if (const auto given = variables("ASSAY_TOKEN")) return FoundToken{*given, ""};
    const std::string folder = user_folder(variables);
    const Error none{Fault::missing, say(language, ClientSide::no_token, {server})};
    if (folder.empty()) return none;
    const std::string path = folder + "/tokens";
    ASSAY_TRY(const auto text, read_if_there(path));
    if (!text) return none;
    auto tokens = tokens_from(*text, language);
    if (!tokens) return tokens.take_error().in(path);
    FoundToken found;
    const auto of_server = std::ranges::count(*tokens, server, &StoredToken::server);
    for (const StoredToken& one : *tokens) {
        if (one.server == server && course == "*" && of_server == 1) found.token = one.token;  // No course is named, and none is needed.
        if (one.server == server && (one.course == course || (one.course == "*" && found.token.empty()))) found.token = one.token;
    }
    if (found.token.empty()) return none;
    ASSAY_TRY(const sys::FileInfo info, sys::info_of_path(path));
    if ((info.mode & others_bits) != 0) found.warning = say(language, ClientSide::token_readable, {path});
    return found;
}

Result<std::string> store_token(const Variables& variables, const StoredToken& fresh, Language language) {
    if (!one_word(fresh.token) || !one_word(fresh.course))
        return Error{Fault::invalid, say(language, ClientSide::token_word)};
    const std::string folder = user_folder(variables);
    if (folder.empty()) return Error{Fault::missing, say(language, ClientSide::no_home)};
    const std::string parent = folder.substr(0, folder.rfind('/'));
    ASSAY_CHECK(sys::make_directory(parent));
    ASSAY_CHECK(sys::make_directory(folder));
    const std::string path = folder + "/tokens";
    ASSAY_TRY(const auto text, read_if_there(path));
    auto tokens = tokens_from(text.value_or(""), language);
    if (!tokens) return tokens.take_error().in(path);
    std::erase_if(*tokens, [&](const StoredToken& one) { return one.server == fresh.server && one.course == fresh.course; });
    tokens->push_back(fresh);
    std::string lines;
    for (const StoredToken& one : *tokens) lines += fmt::format("{} {} {}\n", one.server, one.course, one.token);
    ASSAY_CHECK(sys::write_file_durably(path, lines));
    return path;
}

}  // namespace assay::client
