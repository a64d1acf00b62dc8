#include "web/layout.hh"

#include <fmt/format.h>

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

}  // namespace

std::string page(const Look& look, const Frame& frame) {
    Html head;
    head += el("meta", {{"charset", "utf-8"}});
    head += el("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
    head += el("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
    head += el("meta", {{"name", "robots"}, {"content", "noindex"}});
    if (frame.reload_s) {
        head += el("meta", {{"http-equiv", "refresh"}, {"content", std::to_string(*frame.reload_s)}});
    }
    head += el("title", {}, {frame.title, " · assay"});
    head += el("link", {{"rel", "stylesheet"}, {"href", Address{} / "static" / style().name}});
    head += el("link", {{"rel", "icon"}, {"type", "image/svg+xml"}, {"href", Address{} / "static" / icon().name}});

    Html body;
    body += el("a", {{"class", "skip"}, {"href", look.here.at("content")}}, {look.say(Sentence::skip_to_content)});
    body += el("header", {{"class", "top"}},
               {el("a", {{"class", "brand"}, {"href", look.link({})}}, {"assay"}), language_switch(look)});
    body += el("main", {{"id", "content"}, {"tabindex", "-1"}}, {frame.content});
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
