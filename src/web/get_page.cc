#include <fmt/format.h>

#include "base/text.hh"
#include "web/pages.hh"

namespace assay::web {

namespace {

// What the reader puts in.
constexpr std::string_view any_token = "TOKEN";
constexpr std::string_view any_course = "COURSE";
constexpr std::string_view any_module = "MODULE";
constexpr std::string_view any_folder = "FOLDER";  // never the one that the client was fetched into: it would be handed in as well
constexpr std::string_view any_archive = "archive.tar.gz";

std::string_view course_of(const GetPage& of) { return of.course.empty() ? any_course : std::string_view{of.course}; }
std::string_view module_of(const GetPage& of) { return of.module.empty() ? any_module : std::string_view{of.module}; }

Html step(const Look& look, Sentence what, std::string command) {
    Html made;
    made += el("p", {}, {look.say(what)});
    made += el("pre", {{"class", "command"}}, {std::move(command)});
    return made;
}

// What of the commands differs between the two systems.
struct Shell {
    std::string_view curl;
    std::string_view kept_as;   // the client, once fetched
    std::string_view start;     // what starts it
};
constexpr Shell linux_shell{.curl = "curl", .kept_as = "assay", .start = "./assay"};
constexpr Shell windows_shell{.curl = "curl.exe", .kept_as = "assay.exe", .start = ".\\assay.exe"};

Html client_part(const Look& look, const GetPage& of, const OfferedClient& client, const Shell& shell, Sentence title, const std::string& check) {
    Html inside;
    inside += el("h2", {}, {look.say(title)});
    inside += el("p", {}, {el("a", {{"class", "button"}, {"href", Address{} / "get" / client.sha256 / client.file_name}, {"download", client.file_name}},
                              {look.say(Sentence::get_download, {client.file_name})})});
    Html facts;
    facts += el("div", {}, {el("dt", {}, {look.say(Sentence::get_size)}),
                            el("dd", {}, {fmt::format("{} ({} B)", size_text(client.size_bytes), client.size_bytes)})});
    facts += el("div", {}, {el("dt", {}, {"SHA-256"}), el("dd", {}, {el("code", {}, {client.sha256})})});
    inside += el("dl", {}, {facts});
    inside += step(look, Sentence::get_fetch,
                   fmt::format("{} -fo {} {}/get/{}{}", shell.curl, shell.kept_as, of.server_url, client.file_name, check));
    inside += step(look, Sentence::get_login, fmt::format("{} login --server {}", shell.start, of.server_url));
    inside += step(look, Sentence::get_submit, fmt::format("{} submit {} --server {} --course {} --module {} --watch", shell.start, any_folder, of.server_url,
                                                           course_of(of), module_of(of)));
    return el("section", {{"class", "card"}}, {inside});
}

Html curl_part(const Look& look, const GetPage& of, const Shell& shell, Sentence title, Sentence hint) {
    return el("section", {{"class", "card"}},
              {el("h2", {}, {look.say(title)}),
               step(look, hint, fmt::format("{} -F token={} -F course={} -F module={} -F file=@{} {}/upload", shell.curl, any_token, course_of(of),
                                            module_of(of), any_archive, of.server_url))});
}

}  // namespace

Address get_address(const std::string& course, const std::string& module) {
    Address address = Address{} / "get";
    if (!course.empty()) address = address.with("course", course);
    if (!module.empty()) address = address.with("module", module);
    return address;
}

std::string get_page(const Look& look, const GetPage& of) {
    Html content;
    content += el("div", {{"class", "hero"}},
                  {el("h1", {}, {look.say(Sentence::command_line_title)}), el("p", {{"class", "lead"}}, {look.say(Sentence::get_lead)})});
    if (of.course.empty() || of.module.empty()) content += el("p", {{"class", "notice"}}, {look.say(Sentence::get_fill_in)});
    if (of.for_linux) {
        const std::string check = fmt::format(" && echo '{}  {}' | sha256sum -c && chmod +x {}", of.for_linux->sha256, linux_shell.kept_as, linux_shell.kept_as);
        content += client_part(look, of, *of.for_linux, linux_shell, Sentence::get_linux, check);
    }
    if (of.for_windows) {
        content += client_part(look, of, *of.for_windows, windows_shell, Sentence::get_windows, fmt::format("\ncertutil -hashfile {} SHA256", windows_shell.kept_as));
    }
    content += curl_part(look, of, linux_shell, Sentence::get_curl, Sentence::get_curl_hint);
    content += curl_part(look, of, windows_shell, Sentence::get_curl_windows, Sentence::get_curl_windows_hint);
    return page(look, {.title = look.say(Sentence::command_line_title), .content = content, .reload_s = {}});
}

}  // namespace assay::web
