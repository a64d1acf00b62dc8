#include "alert/text.hh"

#include <fmt/format.h>

#include "base/text.hh"
#include "sys/zone.hh"
#include "wording/alarms.hh"
#include "wording/duration.hh"

namespace assay::alert {
namespace {

using wording::AlarmWord;
using wording::Language;

AlarmWord word_of(Severity severity) {
    switch (severity) {
        case Severity::info: return AlarmWord::info;
        case Severity::day: return AlarmWord::day;
        case Severity::wake: return AlarmWord::wake;
    }
    return AlarmWord::info;
}

AlarmWord word_of(const Message& message) {
    switch (message.kind) {
        case Message::Kind::firing: return word_of(message.severity);
        case Message::Kind::escalated: return AlarmWord::escalated;
        case Message::Kind::repeated: return AlarmWord::repeated;
        case Message::Kind::resolved: return AlarmWord::resolved;
        case Message::Kind::test: return AlarmWord::test;
    }
    return AlarmWord::info;
}

std::string headline(const Part& part, Language language) {
    if (!part.summary.empty()) return escaped(filled_in(part.summary, part.finding, part.evidence), text_bytes_max);
    return wording::alarm_headline(language, part.rule).value_or(part.rule);
}

void add_part(std::vector<std::string>& lines, const Part& part, Language language, bool over) {
    if (!part.finding.cause.empty()) lines.push_back(say(language, AlarmWord::cause, {part.finding.cause}));
    if (!part.finding.offender.empty()) lines.push_back(say(language, AlarmWord::offender, {part.finding.offender}));
    if (over) return;
    for (const std::string& line : part.evidence) lines.push_back("· " + line);
    if (const auto advice = wording::alarm_advice(language, part.rule))
        lines.push_back(say(language, AlarmWord::advice, {*advice}));
}

std::string harm_line(const Harm& harm, Language language) {
    if (!harm.known) return say(language, AlarmWord::harm_unknown);
    if (harm == Harm{.known = true}) return say(language, AlarmWord::no_harm);
    return say(language, AlarmWord::harm,
               {std::to_string(harm.uploads_refused), std::to_string(harm.attempts_failed),
                std::to_string(harm.system_faults), std::to_string(harm.answers_failed)});
}

}  // namespace

std::string Text::body() const {
    std::string body;
    for (const std::string& line : lines) body += line + "\n";
    return body;
}

Text text_of(const Message& message, Language language, const std::string& zone) {
    const auto time = [&](std::int64_t at_ms) { return sys::date_and_time(sys::wall_from_ms(at_ms), zone); };
    const bool over = message.kind == Message::Kind::resolved;
    Text text;
    const std::string first =
        message.parts.empty() ? say(language, AlarmWord::test_line) : headline(message.parts.front(), language);
    text.title = fmt::format("[{}] {}: {}", say(language, word_of(message)), escaped(message.host), first);
    if (message.kind == Message::Kind::test) return text;
    for (std::size_t i = 0; i < message.parts.size(); ++i) {
        if (i > 0) text.lines.push_back(headline(message.parts[i], language));
        add_part(text.lines, message.parts[i], language, over);
    }
    if (over) {
        const double lasted_ms = static_cast<double>(message.ended_ms - message.since_ms);
        text.lines.push_back(say(language, AlarmWord::lasted, {wording::duration(language, lasted_ms), time(message.ended_ms)}));
        text.lines.push_back(harm_line(message.harm, language));
    } else {
        text.lines.push_back(say(language, AlarmWord::since, {time(message.since_ms)}));
        if (message.flapping) text.lines.push_back(say(language, AlarmWord::flapping));
    }
    return text;
}

std::string shortened(std::string text, std::size_t size_max) {
    constexpr std::string_view mark = "…";
    if (text.size() <= size_max) return text;
    std::size_t end = size_max < mark.size() ? 0 : size_max - mark.size();
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // Inside a character.
    text.resize(end);
    return text + std::string{mark};
}

}  // namespace assay::alert
