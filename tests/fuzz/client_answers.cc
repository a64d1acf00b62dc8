// What a server, something in front of it, or a project that somebody was given makes a participant's client read.
#include <string>
#include <string_view>

#include "base/assert.hh"
#include "base/text.hh"
#include "client/answers.hh"
#include "client/event_reader.hh"
#include "client/proxy.hh"
#include "client/settings.hh"
#include "client/url.hh"

namespace assay {
namespace {

void events(std::string_view input) {
    std::string whole;
    std::string pieces;
    const auto into = [](std::string& all) {
        return [&all](const client::ServerEvent& event) -> Result<> {
            ASSAY_ASSERT(!event.name.empty());
            all += event.id + "|" + event.name + "|" + event.data + ";";
            return ok;
        };
    };
    client::EventReader at_once;
    const bool good = at_once.feed(input, into(whole)).has_value();
    client::EventReader by_byte;
    bool also_good = true;
    for (std::size_t i = 0; i < input.size() && also_good; ++i) also_good = by_byte.feed(input.substr(i, 1), into(pieces)).has_value();
    ASSAY_ASSERT(good == also_good);
    ASSAY_ASSERT(whole == pieces);  // How the bytes were cut on their way must not matter.
}

}  // namespace

void fuzz(std::string_view input) {
    constexpr auto english = wording::Language::english;
    events(input);
    (void)client::problem_from(input);
    (void)client::instant_ms(input);
    if (const auto limits = client::limits_from(input)) {
        ASSAY_ASSERT(limits->rules.size_max > 0);
        (void)client::worth_committing(*limits);
    }
    if (const auto received = client::received_from(input)) ASSAY_ASSERT(received->id.size() == 16);
    if (const auto committed = client::committed_from(input)) ASSAY_ASSERT(!committed->until.empty());
    if (const auto standing = client::standing_from(input))
        ASSAY_ASSERT(valid_utf8(client::line_of(*standing, english)));
    if (const auto url = client::parse_url(input, english)) {
        const auto again = client::parse_url(url->text(), english);
        ASSAY_ASSERT(again.has_value());
        ASSAY_ASSERT(again->text() == url->text());
        ASSAY_ASSERT(!url->text().contains('\n'));
    }
    (void)client::settings_from_toml(std::string{input}, "project", english);
    (void)client::tokens_from(input, english);
    http::Answer answer{.status = 413, .headers = {{"Server", std::string{input.substr(0, 100)}}}, .body = std::string{input}};
    ASSAY_ASSERT(client::proxy_refusal(answer, static_cast<std::int64_t>(input.size()), english).has_value());
}

}  // namespace assay
