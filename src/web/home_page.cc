#include <fmt/format.h>

#include "web/pages.hh"

namespace assay::web {

namespace {

Html problem_part(const Look& look, Sentence title, const std::string& text) {
    return el("section", {{"class", "card narrow"}},
              {el("h1", {}, {look.say(title)}), el("p", {}, {text}),
               el("p", {}, {el("a", {{"href", look.link({})}, {"class", "button"}}, {look.say(Sentence::go_home)})})});
}

}  // namespace

std::string home_page(const Look& look, const Home& home) {
    Html form;
    if (look.chosen) {
        const bool chinese = look.language == Language::chinese;
        form += el("input", {{"type", "hidden"}, {"name", "lang"}, {"value", chinese ? "zh" : "en"}});
    }
    form += el("label", {{"for", "token"}}, {look.say(Sentence::token_label)});
    form += el("input", {{"id", "token"}, {"name", "token"}, {"type", "password"}, {"autocomplete", "current-password"},
                         {"required"}, {"maxlength", "256"}, {"aria-describedby", "token-hint"}, {"spellcheck", "false"}});
    form += el("p", {{"id", "token-hint"}, {"class", "hint"}}, {look.say(Sentence::token_hint)});
    form += el("button", {{"type", "submit"}}, {look.say(Sentence::home_open)});

    Html content;
    content += el("div", {{"class", "hero"}},
                  {el("h1", {}, {look.say(Sentence::home_title)}), el("p", {{"class", "lead"}}, {look.say(Sentence::home_lead)})});
    if (home.refusal) content += el("p", {{"class", "notice bad"}, {"role", "alert"}}, {*home.refusal});
    content += el("section", {{"class", "card"}},
                  {el("form", {{"method", "post"}, {"action", Address{}}}, {form}),
                   el("p", {{"class", "hint"}}, {look.say(Sentence::home_token_is_secret)})});
    content += el("section", {{"class", "card"}},
                  {el("h2", {}, {look.say(Sentence::command_line_title)}), el("p", {}, {look.say(Sentence::command_line_hint)}),
                   el("pre", {{"class", "command"}},
                      {fmt::format("curl -F token=… -F course=… -F module=… \\\n     -F file=@archive.tar.bz2 {}/upload",
                                   home.server_url)}),
                   el("p", {}, {el("a", {{"href", look.link(Address{} / "get")}}, {look.say(Sentence::get_link)})})});
    return page(look, {.title = look.say(Sentence::home_title), .content = content, .reload_s = {}});
}

std::string modules_page(const Look& look, const std::vector<ModuleLink>& modules) {
    Html content;
    content += el("div", {{"class", "hero"}},
                  {el("h1", {}, {look.say(Sentence::modules_title)}),
                   el("p", {{"class", "lead"}}, {look.say(modules.empty() ? Sentence::modules_none : Sentence::modules_lead)})});
    Html list;
    for (const ModuleLink& module : modules) {
        list += el("li", {},
                   {el("a", {{"class", "card tile"}, {"href", look.link(module.address)}},
                       {el("strong", {}, {module.title}), el("span", {{"class", "hint"}}, {module.course})})});
    }
    if (!modules.empty()) content += el("ul", {{"class", "tiles"}}, {list});
    return page(look, {.title = look.say(Sentence::modules_title), .content = content, .reload_s = {}});
}

std::string refused_page(const Look& look, const std::string& sentence, const std::optional<Address>& back) {
    const Address way = back ? look.link(*back).at("upload") : Address{};
    Html content;
    content += el("div", {{"class", "hero"}},
                  {el("h1", {}, {look.say(Sentence::refused_title)}), el("p", {{"class", "lead"}, {"role", "alert"}}, {sentence}),
                   el("p", {}, {el("a", {{"class", "button"}, {"href", way}},
                                   {look.say(back ? Sentence::refused_back : Sentence::go_home)})})});
    return page(look, {.title = look.say(Sentence::refused_title), .content = content, .reload_s = {}});
}

std::string not_found_page(const Look& look) {
    return page(look, {.title = look.say(Sentence::not_found_title),
                       .content = problem_part(look, Sentence::not_found_title, look.say(Sentence::not_found)),
                       .reload_s = {}});
}

std::string busy_page(const Look& look) {
    return page(look, {.title = look.say(Sentence::trouble_title),
                       .content = problem_part(look, Sentence::trouble_title, look.say(Sentence::trouble_busy)),
                       .reload_s = {}});
}

std::string trouble_page(const Look& look, std::string_view request_id) {
    return page(look, {.title = look.say(Sentence::trouble_title),
                       .content = problem_part(look, Sentence::trouble_title, look.say(Sentence::trouble_internal, {request_id})),
                       .reload_s = {}});
}

}  // namespace assay::web
