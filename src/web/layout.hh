// Layout: what all pages share: who looks, in which language, the frame around the content, and small parts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/words.hh"
#include "web/html.hh"
#include "wording/catalogue.hh"

namespace assay::web {

using wording::Language;
using wording::Sentence;

// How a page is looked at. Links carry the language only when it was chosen by the switch.
struct Look {
    Language language = Language::english;
    bool chosen = false;
    Address here;                       // this page, without query: for the switch

    std::string say(Sentence sentence, std::initializer_list<std::string_view> arguments = {}) const {
        return wording::say(language, sentence, arguments);
    }
    Address link(Address address) const {
        return chosen ? address.with("lang", language == Language::chinese ? "zh" : "en") : address;
    }
};

// A page that a script keeps as it is on the server (page.js.inc).
struct Live {
    Address page;                       // what it fetches: never one that reloads itself
    Address events;
};

struct Frame {
    std::string title;
    Html content;
    std::optional<int> reload_s;        // reloads itself after this many seconds, where no script runs
    std::optional<Live> live;
};

// The whole document.
std::string page(const Look&, const Frame&);

// A sentence whose arguments are more than text, such as times and links.
Html phrase(const Look&, Sentence, std::initializer_list<Html> arguments);
// A time of the course, which the script also shows as it is where the reader is.
Html time_at(std::int64_t ms, const std::string& zone);

// A word with a colour and a sign, so that neither alone carries the meaning.
enum class Tone { good, partial, bad, ours, waiting, working, quiet };
Html badge(Tone, std::string_view word);
Html badge(const Look&, model::Verdict);
// Of a submission: what failed and still has points is shown as partly done.
Html badge(const Look&, model::Verdict, const std::optional<double>& score);

// "87", "87.5", "0.33": at most two decimals.
std::string number_text(double);
// "87 / 100"
std::string score_text(const Look&, double score, double score_max);

}  // namespace assay::web
