// Text: one entry of the catalogue, checked when it is compiled. For this room and its tests.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "wording/catalogue.hh"

namespace assay::wording {

constexpr std::size_t placeholders_max = 8;

// Which of {0} … {7} occur, as bits. {0:file|files} are words that go by that argument: the first of them when it is 1. Throws (and so
// does not compile) on a brace that is no placeholder.
constexpr unsigned placeholders(std::string_view text) {
    unsigned found = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '}') throw "a closing brace without its opening one";
        if (text[at] != '{') continue;
        const std::size_t end = text.find('}', at);
        if (end == std::string_view::npos || end < at + 2) throw "a placeholder is {0} to {7}";
        const int number = text[at + 1] - '0';
        if (number < 0 || number >= static_cast<int>(placeholders_max)) throw "a placeholder is {0} to {7}";
        const std::string_view words = text.substr(at + 2, end - at - 2);
        const std::size_t bar = words.find('|');
        const bool two = words.starts_with(':') && bar != std::string_view::npos && words.find('|', bar + 1) == std::string_view::npos;
        if (!words.empty() && (!two || words.contains('{'))) throw "words that go by a number are {0:one|several}";
        found |= 1u << number;
        at = end;
    }
    return found;
}

struct Text {
    std::string_view english;
    std::string_view chinese;

    // Both languages are arguments, hence neither can be forgotten.
    consteval Text(const char* in_english, const char* in_chinese) : english{in_english}, chinese{in_chinese} {
        if (placeholders(english) != placeholders(chinese)) throw "the placeholders differ between the languages";
    }
    std::string_view in(Language language) const { return language == Language::chinese ? chinese : english; }
};

// The text with its placeholders replaced; an argument is never looked into.
std::string filled(std::string_view text, std::initializer_list<std::string_view> arguments);

Text text_of(Sentence);
Text text_of(model::Refusal);
Text text_of(model::Reason);
Text text_of(model::Verdict);
Text text_of(model::DifferenceKind);  // {0} line, {1} column or word, {2} expected, {3} got
Text text_of(model::WaitDetailKind);  // {0} number, {1} of, {2} text, {3} the number as a duration, {4} {5} number and of as sizes
Text name_of(model::State);
Text name_of(model::Verdict);

}  // namespace assay::wording
