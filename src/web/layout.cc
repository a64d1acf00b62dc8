#include "web/layout.hh"

#include <fmt/format.h>

#include "base/assert.hh"
#include "sys/zone.hh"
#include "web/assets.hh"

namespace assay::web {

namespace {

Html language_switch(const Look& look) {
    const bool to_english = look.language == Language::chinese;
    const auto other = to_english ? Language::english : Language::chinese;
    return el("a",
              {{"href", look.here.with("lang", to_english ? "en" : "zh")},
               {"class", "language"},
               {"lang", wording::tag(other)},
               {"hreflang", wording::tag(other)}},
              {look.say(Sentence::language_other)});
}

std::string_view sign_of(Tone tone) {
    switch (tone) {
        case Tone::good: return "✓";
        case Tone::partial: return "◐";
        case Tone::bad: return "✗";
        case Tone::ours: return "!";
        case Tone::waiting: return "◷";
        case Tone::working: return "▶";
        case Tone::quiet: return "–";
    }
    return "";
}

std::string_view class_of(Tone tone) {
    switch (tone) {
        case Tone::good: return "badge good";
        case Tone::partial: return "badge partial";
        case Tone::bad: return "badge bad";
        case Tone::ours: return "badge ours";
        case Tone::waiting: return "badge waiting";
        case Tone::working: return "badge working";
        case Tone::quiet: return "badge quiet";
    }
    return "";
}

// What the script says, in the page's language.
Html script_words(const Look& look) {
    using enum Sentence;
    return el("div", {{"id", "words"}, {"hidden"}, {"data-own-time", look.say(own_time, {"{0}"})},
                      {"data-sending", look.say(sending_percent, {"{0}"})}, {"data-checking", look.say(sending_checked)},
                      {"data-failed", look.say(sending_failed)}});
}

Html main_part(const Frame& frame) {
    if (!frame.live) return el("main", {{"id", "content"}, {"tabindex", "-1"}}, {frame.content});
    const std::string page = frame.live->page.text();
    const std::string events = frame.live->events.text();
    if (!frame.reload_s) {
        return el("main", {{"id", "content"}, {"tabindex", "-1"}, {"data-page", page}, {"data-events", events}}, {frame.content});
    }
    return el("main", {{"id", "content"}, {"tabindex", "-1"}, {"data-page", page}, {"data-events", events}, {"data-reloads"}}, {frame.content});
}

}  // namespace

Html phrase(const Look& look, Sentence sentence, std::initializer_list<Html> arguments) {
    constexpr std::string_view marks[] = {"\x01", "\x02", "\x03"};  // in no sentence of the catalogue
    ASSAY_ASSERT(arguments.size() <= std::size(marks));
    const std::string said = look.say(sentence, {marks[0], marks[1], marks[2]});
    Html made;
    std::string_view rest = said;
    for (;;) {
        const auto at = rest.find_first_of("\x01\x02\x03");
        made += rest.substr(0, at);
        if (at == std::string_view::npos) return made;
        const auto which = static_cast<std::size_t>(rest[at] - 1);
        ASSAY_ASSERT(which < arguments.size());
        made += arguments.begin()[which];
        rest.remove_prefix(at + 1);
    }
}

Html time_at(std::int64_t ms, const std::string& zone) {
    const auto time = sys::wall_from_ms(ms);
    return el("time", {{"datetime", sys::rfc3339(time, zone)}, {"title", zone}}, {sys::date_and_time(time, zone)});
}

std::string page(const Look& look, const Frame& frame) {
    Html head;
    head += el("meta", {{"charset", "utf-8"}});
    head += el("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
    head += el("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
    head += el("meta", {{"name", "robots"}, {"content", "noindex"}});
    if (frame.reload_s) {
        const Html reload = el("meta", {{"http-equiv", "refresh"}, {"content", std::to_string(*frame.reload_s)}});
        head += frame.live ? el("noscript", {}, {reload}) : reload;
    }
    head += el("title", {}, {frame.title, " · assay"});
    head += el("link", {{"rel", "stylesheet"}, {"href", Address{} / "static" / style().name}});
    head += el("link", {{"rel", "icon"}, {"type", "image/svg+xml"}, {"href", Address{} / "static" / icon().name}});
    if (frame.live) head += script(Address{} / "static" / page_script().name);

    Html body;
    body += el("a", {{"class", "skip"}, {"href", Address::inside("content")}}, {look.say(Sentence::skip_to_content)});
    body += el("header", {{"class", "top"}},
               {el("a", {{"class", "brand"}, {"href", look.link({})}}, {"assay"}), language_switch(look)});
    body += main_part(frame);
    if (frame.live) body += script_words(look);
    body += el("footer", {}, {look.say(Sentence::footer, {ASSAY_VERSION})});
    const Html document =
        el("html", {{"lang", wording::tag(look.language)}}, {el("head", {}, {head}), el("body", {}, {body})});
    return "<!doctype html>\n" + document.markup() + "\n";
}

Html badge(Tone tone, std::string_view word) {
    return el("span", {{"class", class_of(tone)}},
              {el("span", {{"class", "sign"}, {"aria-hidden", "true"}}, {sign_of(tone)}), word});
}

Html badge(const Look& look, model::Verdict verdict) { return badge(look, verdict, std::nullopt); }

Html badge(const Look& look, model::Verdict verdict, const std::optional<double>& score) {
    const auto tone = [&] {
        switch (verdict) {
            case model::Verdict::passed: return Tone::good;
            case model::Verdict::system_fault: case model::Verdict::grader_fault: return Tone::ours;
            default: return score.value_or(0) > 0 ? Tone::partial : Tone::bad;
        }
    };
    return badge(tone(), wording::name(look.language, verdict));
}

std::string number_text(double value) {
    std::string text = fmt::format("{:.2f}", value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text == "-0" ? "0" : text;
}

std::string score_text(const Look& look, double score, double score_max) {
    return look.say(Sentence::score_of, {number_text(score), number_text(score_max)});
}

}  // namespace assay::web
