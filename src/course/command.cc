#include "course/command.hh"

#include <algorithm>

#include <fmt/format.h>

namespace assay::course {
namespace {

// Outside quotes a shell would act on these. A glob, a tilde or a comment would be passed on as it is, to everyone's surprise.
constexpr std::string_view shell_signs = "$`|&;<>()*?[~#!";

Error no_shell(char sign) {
    return {
        Fault::invalid,
        fmt::format("'{}' would need a shell, and there is none; put it in quotes if it is meant as it stands, or run "
                    "[\"sh\", \"-c\", \"…\"]",
                    sign)};
}

}  // namespace

Result<std::vector<std::string>> split_command(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool open = false;  // A word has begun; '' is one too.
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && quote != '\'') {
            if (++i == text.size()) return Error{Fault::invalid, "the command ends in a backslash"};
            // Between double quotes a backslash is itself unless it protects one of these.
            if (quote == '"' && text[i] != '"' && text[i] != '\\' && text[i] != '$' && text[i] != '`') word += '\\';
            word += text[i];
            open = true;
        } else if (quote != 0) {
            if (c == quote)
                quote = 0;
            else if (quote == '"' && (c == '$' || c == '`'))
                return no_shell(c);
            else
                word += c;
        } else if (c == '\'' || c == '"') {
            quote = c;
            open = true;
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            if (open) words.push_back(std::exchange(word, {}));
            open = false;
        } else if (shell_signs.contains(c) && !(open && (c == '#' || c == '~' || c == '!'))) {
            return no_shell(c);
        } else {
            word += c;
            open = true;
        }
    }
    if (quote != 0) return Error{Fault::invalid, fmt::format("a {} is not closed", quote)};
    if (open) words.push_back(std::move(word));
    ASSAY_CHECK(check_command(words));
    return words;
}

Result<> check_command(const std::vector<std::string>& command) {
    if (command.empty() || command.front().empty()) return Error{Fault::invalid, "there is nothing to run"};
    std::size_t bytes = 0;
    for (const std::string& word : command) {
        if (word.contains('\0')) return Error{Fault::invalid, "a word of a command cannot contain NUL"};
        bytes += word.size() + 1;
    }
    if (command.size() > command_words_max || bytes > command_bytes_max) {
        return Error{Fault::invalid,
                     fmt::format("a command has at most {} words and {} bytes", command_words_max, command_bytes_max)};
    }
    return ok;
}

}  // namespace assay::course
