// A set of states instead of backtracking: a token is where matching may stand, and each byte of the text moves all of them on.
// No pattern, however many stars it has, costs more than its length for each byte.
#include "client/glob.hh"

#include <algorithm>
#include <iterator>

#include "base/assert.hh"

namespace assay::client {
namespace {

constexpr bool digit(unsigned char c) { return c >= '0' && c <= '9'; }
constexpr bool upper(unsigned char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool lower(unsigned char c) { return c >= 'a' && c <= 'z'; }
constexpr bool graph(unsigned char c) { return c > ' ' && c < 0x7F; }
constexpr bool alnum(unsigned char c) { return digit(c) || upper(c) || lower(c); }

struct Class {
    std::string_view name;
    bool (*has)(unsigned char);
};
// Of ASCII alone, as git has them: its white space knows neither vertical tab nor form feed.
constexpr Class classes[] = {
    {"alnum", alnum},
    {"alpha", [](unsigned char c) { return upper(c) || lower(c); }},
    {"blank", [](unsigned char c) { return c == ' ' || c == '\t'; }},
    {"cntrl", [](unsigned char c) { return c < ' ' || c == 0x7F; }},
    {"digit", digit},
    {"graph", graph},
    {"lower", lower},
    {"print", [](unsigned char c) { return graph(c) || c == ' '; }},
    {"punct", [](unsigned char c) { return graph(c) && !alnum(c); }},
    {"space", [](unsigned char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }},
    {"upper", upper},
    {"xdigit", [](unsigned char c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }},
};

}  // namespace

Glob::Glob(std::string_view pattern) {
    ASSAY_ASSERT(pattern.size() <= pattern_bytes_max);
    for (std::size_t at = 0; at < pattern.size() && !broken_;) {
        switch (pattern[at]) {
            case '?':
                tokens_.push_back({.kind = Token::Kind::any});
                ++at;
                break;
            case '*': at = add_stars(pattern, at); break;
            case '[': at = add_set(pattern, at); break;
            case '\\':
                if (++at == pattern.size()) {
                    broken_ = true;
                    break;
                }
                [[fallthrough]];
            default: tokens_.push_back({.byte = static_cast<unsigned char>(pattern[at++])});
        }
    }
    for (std::size_t at = tokens_.size(); at-- > 0 && tokens_[at].kind == Token::Kind::byte;) {
        if (at >= 2 && tokens_[at - 2].kind == Token::Kind::skip_folders) break;  // a slash that may be skipped
        ends_.insert(ends_.begin(), static_cast<char>(tokens_[at].byte));
    }
}

// A run of stars. Two and more that stand for whole folders cross slashes; any other run is one star.
std::size_t Glob::add_stars(std::string_view pattern, std::size_t at) {
    const std::size_t end = std::min(pattern.find_first_not_of('*', at), pattern.size());
    const std::string_view rest = pattern.substr(end);
    const bool begins = at == 0 || pattern[at - 1] == '/';
    const bool ends = rest.empty() || rest.starts_with('/') || rest.starts_with("\\/");
    if (end - at == 1 || !begins || !ends) {
        tokens_.push_back({.kind = Token::Kind::star});
        return end;
    }
    // "**/" may be no folder at all: then the stars and the slash are skipped.
    if (rest.starts_with('/')) tokens_.push_back({.kind = Token::Kind::skip_folders});
    tokens_.push_back({.kind = Token::Kind::star_star});
    return end;
}

std::size_t Glob::add_set(std::string_view pattern, std::size_t at) {
    const auto byte_at = [&](std::size_t i) {
        return static_cast<unsigned char>(i < pattern.size() ? pattern[i] : '\0');
    };
    Set set;
    ++at;
    const bool negated = byte_at(at) == '!' || byte_at(at) == '^';
    if (negated) ++at;
    unsigned char before = 0;  // what a '-' would begin its range with
    bool first = true;  // a ']' that comes first is one of the set
    for (; at < pattern.size() && (first || pattern[at] != ']'); ++at, first = false) {
        unsigned char c = byte_at(at);
        if (c == '-' && before != 0 && at + 1 < pattern.size() && pattern[at + 1] != ']') {
            c = byte_at(++at);
            if (c == '\\') c = byte_at(++at);
            if (at >= pattern.size()) break;
            for (unsigned i = before; i <= c; ++i) set.set(i);
            before = 0;
            continue;
        }
        if (c == '[' && byte_at(at + 1) == ':') {
            const std::size_t close = pattern.find(']', at + 2);
            if (close == std::string_view::npos) break;
            if (close > at + 2 && pattern[close - 1] == ':') {
                const std::string_view name = pattern.substr(at + 2, close - at - 3);
                const auto* const known = std::ranges::find(classes, name, &Class::name);
                if (known == std::end(classes)) break;
                for (unsigned i = 1; i < 0x80; ++i) set[i] = set[i] || known->has(static_cast<unsigned char>(i));
                at = close;
                before = 0;
                continue;
            }
        }
        if (c == '\\') {
            c = byte_at(++at);
            if (at >= pattern.size()) break;
        }
        set.set(c);
        before = c;
    }
    if (at >= pattern.size() || first || pattern[at] != ']') {
        broken_ = true;
        return pattern.size();
    }
    if (negated) set.flip();
    set.reset('/');
    tokens_.push_back({.kind = Token::Kind::set, .set = sets_.size()});
    sets_.push_back(set);
    return at + 1;
}

// Standing at a token also means standing behind it where it may match nothing.
void Glob::enter(States& states, std::size_t at) const {
    for (;;) {
        if (states[at]) return;
        states.set(at);
        if (at == tokens_.size()) return;
        const Token::Kind kind = tokens_[at].kind;
        if (kind == Token::Kind::skip_folders) {
            enter(states, at + 1);  // the stars and the slash: no deeper than this
            at += 3;
        } else if (kind == Token::Kind::star || kind == Token::Kind::star_star) {
            ++at;
        } else {
            return;
        }
    }
}

bool Glob::takes(const Token& token, unsigned char c) const {
    switch (token.kind) {
        case Token::Kind::byte: return token.byte == c;
        case Token::Kind::any:
        case Token::Kind::star: return c != '/';
        case Token::Kind::set: return sets_[token.set][c];
        case Token::Kind::star_star: return true;
        case Token::Kind::skip_folders: return false;
    }
    return false;
}

bool Glob::matches(std::string_view text) const {
    if (broken_ || !text.ends_with(ends_)) return false;
    States states;
    enter(states, 0);
    for (const char c : text) {
        States next;
        bool any = false;
        for (std::size_t at = 0; at < tokens_.size(); ++at) {
            const Token& token = tokens_[at];
            if (!states[at] || !takes(token, static_cast<unsigned char>(c))) continue;
            const bool stays = token.kind == Token::Kind::star || token.kind == Token::Kind::star_star;
            enter(next, stays ? at : at + 1);
            any = true;
        }
        if (!any) return false;
        states = next;
    }
    return states[tokens_.size()];
}

}  // namespace assay::client
