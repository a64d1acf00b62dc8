#include "wording/wording.hh"

#include "base/assert.hh"
#include "base/text.hh"
#include "wording/duration.hh"
#include "wording/text.hh"

namespace assay::wording {

namespace {

constexpr std::size_t ranges_max = 32;  // of Accept-Language; what follows is not looked at

// "0", "0.8", "1.000" -> thousandths. What is no quality counts as 0: such a range is not wanted.
int quality(std::string_view text) {
    text = trimmed(text);
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
    if (text.size() > 1 && text[1] != '.') return 0;
    int thousandths = (text[0] - '0') * 1000;
    int weight = 100;
    for (const char c : text.substr(text.size() > 1 ? 2 : 1)) {
        if (c < '0' || c > '9') return 0;
        thousandths += (c - '0') * weight;
        weight /= 10;
    }
    return thousandths > 1000 ? 0 : thousandths;
}

struct Range {
    std::string_view tag;
    int quality = 1000;
};

Range parse_range(std::string_view text) {
    const auto parts = split(text, ';');
    Range range{.tag = trimmed(parts.front())};
    for (std::size_t i = 1; i < parts.size(); ++i) {
        const auto parameter = trimmed(parts[i]);
        if (parameter.starts_with("q=") || parameter.starts_with("Q=")) range.quality = quality(parameter.substr(2));
    }
    return range;
}

bool is(std::string_view tag, std::string_view primary) {
    return equal_ignoring_case(tag.substr(0, tag.find('-')), primary);
}

std::string_view halves(Language language) { return language == Language::chinese ? "；" : "; "; }

// One side of a difference in a text.
std::string side(Language language, const std::optional<std::string>& text) {
    if (!text) return say(language, Sentence::difference_end);
    if (text->empty()) return say(language, Sentence::difference_line_end);
    return say(language, Sentence::difference_text, {*text});
}

}  // namespace

std::string filled(std::string_view text, std::initializer_list<std::string_view> arguments) {
    std::string said;
    said.reserve(text.size() + 32);
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '{') {
            said += text[at];
            continue;
        }
        const auto number = static_cast<std::size_t>(text[at + 1] - '0');
        ASSAY_ASSERT(number < arguments.size());
        const std::string_view argument = arguments.begin()[number];
        const std::size_t end = text.find('}', at);
        if (text[at + 2] == '}') {
            said += argument;
        } else {
            const std::size_t bar = text.find('|', at);
            said += argument == "1" ? text.substr(at + 3, bar - at - 3) : text.substr(bar + 1, end - bar - 1);
        }
        at = end;
    }
    return said;
}

std::string_view tag(Language language) { return language == Language::chinese ? "zh-CN" : "en"; }

Language choose(std::string_view accept_language, Language fallback) {
    Language best = fallback;
    int best_quality = 0;
    std::size_t seen = 0;
    while (!accept_language.empty() && seen++ < ranges_max) {
        const auto comma = accept_language.find(',');
        const Range range = parse_range(accept_language.substr(0, comma));
        accept_language = comma == std::string_view::npos ? std::string_view{} : accept_language.substr(comma + 1);
        if (range.quality <= best_quality) continue;  // of equal ones the first
        if (is(range.tag, "zh")) {
            best = Language::chinese;
        } else if (is(range.tag, "en")) {
            best = Language::english;
        } else if (range.tag == "*") {
            best = fallback;
        } else {
            continue;
        }
        best_quality = range.quality;
    }
    return best;
}

std::string say(Language language, Sentence sentence, std::initializer_list<std::string_view> arguments) {
    return filled(text_of(sentence).in(language), arguments);
}

std::string sentence(Language language, model::Refusal refusal) { return std::string{text_of(refusal).in(language)}; }

// Each of these sentences is in two halves: "what it is; what to do." (wording_test holds them to it).
std::string meaning(Language language, model::Refusal refusal) {
    const std::string_view text = text_of(refusal).in(language);
    return std::string{text.substr(0, text.find(halves(language)))};
}

std::string next_step(Language language, model::Refusal refusal) {
    const std::string_view text = text_of(refusal).in(language);
    const std::string_view between = halves(language);
    std::string step{text.substr(text.find(between) + between.size())};
    if (step[0] >= 'a' && step[0] <= 'z') step[0] = static_cast<char>(step[0] - 'a' + 'A');
    return step;
}

std::string sentence(Language language, model::Reason reason) { return std::string{text_of(reason).in(language)}; }
std::string sentence(Language language, model::Verdict verdict) { return std::string{text_of(verdict).in(language)}; }

std::string sentence(Language language, const model::Difference& it) {
    if (it.file) {
        model::Difference inside = it;
        inside.file.reset();
        return say(language, Sentence::difference_in_file, {*it.file, sentence(language, inside)});
    }
    const std::string_view text = text_of(it.kind).in(language);
    if (it.kind == model::DifferenceKind::exit_code) return filled(text, {"", "", it.expected.value_or(""), it.got.value_or("")});
    const std::string line = std::to_string(it.line.value_or(0));
    const std::string place = std::to_string(it.word.value_or(it.column.value_or(0)));
    return filled(text, {line, place, side(language, it.expected), side(language, it.got)});
}

std::string sentence(Language language, const model::WaitDetail& it) {
    const std::string lasted = wording::duration(language, static_cast<double>(it.number));
    return filled(text_of(it.kind).in(language),
                  {std::to_string(it.number), std::to_string(it.of), it.text, lasted, size_text(it.number), size_text(it.of)});
}

std::string name(Language language, model::State state) { return std::string{name_of(state).in(language)}; }
std::string name(Language language, model::Verdict verdict) { return std::string{name_of(verdict).in(language)}; }

}  // namespace assay::wording
