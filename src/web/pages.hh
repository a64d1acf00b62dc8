// Pages: pure functions from what is known to a whole document. No store, no clock, no request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "queue/view.hh"
#include "web/layout.hh"

namespace assay::web {

// --- The start page.

struct Home {
    std::optional<std::string> refusal;      // said above the form
    std::string server_url;                  // for the curl example
};
std::string home_page(const Look&, const Home&);

struct ModuleLink {
    std::string course;
    std::string title;
    Address address;
    bool current = false;
};
std::string modules_page(const Look&, const std::vector<ModuleLink>&);

// --- How to hand in from a command line, with the ready-made clients that are offered.

struct OfferedClient {
    std::string file_name;
    std::int64_t size_bytes = 0;
    std::string sha256;
};
struct GetPage {
    std::string server_url;
    std::string course;                      // a valid name; "": the reader puts it in, and the module likewise
    std::string module;
    std::optional<OfferedClient> for_linux;
    std::optional<OfferedClient> for_windows;
};
std::string get_page(const Look&, const GetPage&);
// Of that page, with what is known filled in; "" is left out.
Address get_address(const std::string& course, const std::string& module);

// --- The participant's page for one module.

struct ModulePage {
    const queue::ModuleView& view;
    Address address;                         // of this page: /oj/{course}/{module}/{key}
    std::vector<ModuleLink> modules;         // of the course, this one among them; shown when there are others
    std::optional<std::string> submitted;    // ?submitted=: the id of what just came in
    std::optional<std::string> shown;        // ?show=: the id to show in full
    bool still = false;                      // ?still=1: does not reload, so that the form can be filled in
    std::int64_t now_ms = 0;
};
std::string module_page(const Look&, const ModulePage&);

constexpr int reload_near_s = 3;             // what runs, or is about to
constexpr int reload_far_s = 10;             // what has many others in front of it
constexpr std::int64_t near_positions = 20;
// nullopt: nothing changes by itself.
std::optional<int> reload_s(const queue::ModuleView&);

// What of the programs' texts a page holds at most; the rest is in the log.
constexpr std::size_t page_texts_max = 1u << 20;
constexpr std::size_t log_text_max = 32u << 10;   // of one stream
constexpr std::size_t test_text_max = 4u << 10;
constexpr std::size_t page_tests_max = 2'000;     // rows of tests
constexpr std::size_t details_newest = 3;         // submissions shown in full without being asked for

// Counts down what a page may still hold.
struct Room {
    std::size_t left = page_texts_max;
    std::size_t tests = page_tests_max;
};
// One submission. `full`: with stages, tests and log; else a line and a link to them.
Html submission_part(const Look&, const ModulePage&, const queue::SubmissionView&, bool full, Room&);
Html report_part(const Look&, const model::Report&, const std::string& id, bool due_passed, Room&);
std::string id_of(const queue::SubmissionView&);  // of its element

// --- A refused upload. `back`: the participant's page; nullopt when it is not known whose it was.
std::string refused_page(const Look&, const std::string& sentence, const std::optional<Address>& back);

// --- Pages that are not there, or not now. The same for every reason.
std::string not_found_page(const Look&);
std::string busy_page(const Look&);
std::string trouble_page(const Look&, std::string_view request_id);

}  // namespace assay::web
