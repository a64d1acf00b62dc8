#include "client/way.hh"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/text.hh"

namespace assay::client {
namespace {

constexpr auto english = wording::Language::english;
using wording::WayStep;

Way fit_way() {
    Way way;
    way.reach = way.part = way.size = way.slow = way.events = {.passed = true, .hop = {}, .status = 200, .broke = {}};
    way.version = "0.1.0";
    way.passed_bytes = way_bytes_wanted;
    way.receiving_ms = 8000;
    way.events_ms = 800;
    way.authorization = way.loopback = true;
    way.leave_ms = 1;
    return way;
}
const WayFinding* finding(const std::vector<WayFinding>& all, WayStep step) {
    const auto at = std::ranges::find(all, step, &WayFinding::step);
    return at == all.end() ? nullptr : &*at;
}

TEST(Way, ThatIsFitNeedsNoCure) {
    const auto findings = findings_of(fit_way(), {.host = "127.0.0.1", .path = {}}, english);
    EXPECT_EQ(findings.size(), static_cast<std::size_t>(WayStep::last_) + 1);
    for (const WayFinding& one : findings) {
        EXPECT_EQ(one.grade, Grade::ok) << one.text;
        EXPECT_EQ(one.cure, "");
    }
}

TEST(Way, SaysWhatIsAmissAndTheLinesThatMendIt) {
    const Hop nginx{.product = "nginx", .calls = {}, .trouble = Trouble::too_large, .address = {}};
    const struct {
        void (*spoil)(Way&);
        WayStep step;
        Grade grade;
        std::string_view text, cure;
    } cases[] = {
        {[](Way& way) {
             way.passed_bytes = 1 << 20, way.refused_bytes = (1 << 20) + 1,
             way.size = {.passed = false, .hop = {}, .status = 413, .broke = {}};
         },
         WayStep::body_size, Grade::bad, "1048576 B pass, 1048577 B do not", "client_max_body_size 13m;"},
        {[](Way& way) { way.passed_bytes = 5 << 20, way.size_cut = true; }, WayStep::body_size, Grade::warn,
         "5 MiB pass; the way is too slow", ""},
        {[](Way& way) { way.part = {.passed = false, .hop = {}, .status = 0, .broke = "reset"}; }, WayStep::parts,
         Grade::bad, "reset", "1 MiB"},
        {[](Way& way) { way.receiving_ms = 3; }, WayStep::request_buffering, Grade::warn, "gathered",
         "proxy_request_buffering off;"},
        {[](Way& way) {
             way.slow = {.passed = false,
                         .hop = Hop{.product = "HAProxy", .calls = {}, .address = {}},
                         .status = 408,
                         .broke = {}};
         },
         WayStep::slow_body, Grade::bad, "HAProxy, in front of the server, answers 408", "timeout client 300s"},
        {[](Way& way) { way.events_ms = 1; }, WayStep::event_stream, Grade::warn, "held back", "proxy_buffering off;"},
        {[](Way& way) { way.leave_ms = 1001; }, WayStep::expect, Grade::warn, "curl waits", "100-continue"},
        {[](Way& way) { way.authorization = false; }, WayStep::authorization, Grade::bad, "taken away",
         "Authorization"},
        {[](Way& way) { way.methods_lost = {"PATCH", "DELETE"}; }, WayStep::methods, Grade::bad,
         "PATCH, DELETE do not pass", "PATCH"},
        {[](Way& way) { way.clock_off_ms = -31'000; }, WayStep::clock, Grade::warn, "-31.0 s", "timedatectl"},
        {[](Way& way) { way.loopback = false; }, WayStep::encryption, Grade::warn, "can read tokens", "https"},
    };
    for (const auto& c : cases) {
        Way way = fit_way();
        way.front = nginx.product;
        way.server_header = "nginx/1\x1b[2J";
        c.spoil(way);
        const auto findings = findings_of(way, {.host = "host", .path = {}}, english);
        const WayFinding* const found = finding(findings, c.step);
        ASSERT_NE(found, nullptr) << c.text;
        EXPECT_EQ(found->grade, c.grade) << found->text;
        EXPECT_NE(found->text.find(c.text), std::string::npos) << found->text;
        EXPECT_NE(found->cure.find(c.cure), std::string::npos) << found->cure;
        EXPECT_FALSE(found->cure.empty());
        for (const WayFinding& one : findings) EXPECT_EQ((one.text + one.cure).find('\x1b'), std::string::npos);
    }
}

// Where nothing was reached, nothing else is known.
TEST(Way, ThatLeadsNowhereSaysOnlyThat) {
    Way way;
    way.reach = {.passed = false,
                 .hop = Hop{.product = "nginx", .calls = {}, .trouble = Trouble::no_server, .address = {}},
                 .status = 502,
                 .broke = {}};
    const auto findings = findings_of(way, {.host = "host", .path = {}}, english);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].grade, Grade::bad);
    EXPECT_NE(findings[0].text.find("nginx, in front of the server, answered 502"), std::string::npos);
}

}  // namespace
}  // namespace assay::client
