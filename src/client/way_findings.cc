// What was seen of a way, judged. Pure.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hh"
#include "client/proxy.hh"
#include "client/way.hh"
#include "sys/clock.hh"
#include "wording/client_side.hh"
#include "wording/duration.hh"

namespace assay::client {
namespace {

using wording::ClientSide;
using wording::Language;
using wording::WaySaid;
using wording::WayStep;

constexpr std::int64_t tolerated_ms = 500;  // of a pause that the network itself may swallow
constexpr double events_apart_min_ms = 400;  // three events are 800 ms apart when nobody holds them

class Judging {
public:
    Judging(const Way& way, const Url& url, Language language) : way_{way}, url_{url}, language_{language} {}

    std::vector<WayFinding> all() && {
        reach();
        if (!way_.reach.passed) return std::move(found_);
        between();
        size();
        parts();
        slow();
        events();
        expect();
        add(WayStep::authorization, way_.authorization ? Grade::ok : Grade::bad,
            say(way_.authorization ? WaySaid::authorized : WaySaid::unauthorized), say(WaySaid::cure_authorization));
        methods();
        clock();
        const Grade plain = way_.loopback ? Grade::ok : Grade::warn;
        add(WayStep::encryption, plain, say(way_.loopback ? WaySaid::plain_here : WaySaid::plain),
            say(WaySaid::cure_encryption));
        return std::move(found_);
    }

private:
    std::string say(WaySaid it, std::initializer_list<std::string_view> arguments = {}) const {
        return wording::say(language_, it, arguments);
    }
    void add(WayStep step, Grade grade, std::string text, std::string cure) {
        found_.push_back({step, grade, std::move(text), grade == Grade::ok ? std::string{} : std::move(cure)});
    }
    // Whoever refused, else whoever shows himself.
    std::string cure(const std::optional<Hop>& hop, ProxySetting setting, std::int64_t bytes = 0) const {
        return cure_of(hop && !hop->product.empty() ? hop->product : way_.front, setting, bytes, language_);
    }
    std::string who(const Asked& asked) const { return asked.hop ? name_of(*asked.hop, language_) : "assay"; }
    std::string not_known(const Asked& asked) const {
        return say(WaySaid::not_known,
                   {asked.broke.empty() ? who(asked) + " " + std::to_string(asked.status) : escaped(asked.broke)});
    }

    void reach() {
        const Asked& it = way_.reach;
        if (it.passed)
            return add(WayStep::reach, Grade::ok, say(WaySaid::reached, {url_.text(), escaped(way_.version)}), {});
        const std::string cure = say(WaySaid::cure_reach);
        if (it.hop) return add(WayStep::reach, Grade::bad, sentence_of(*it.hop, it.status, 0, language_), cure);
        const std::string why = it.broke.empty() ? std::to_string(it.status) : escaped(it.broke);
        add(WayStep::reach, Grade::bad, wording::say(language_, ClientSide::unreachable, {url_.text(), why}), cure);
    }

    void between() {
        std::string text =
            way_.front.empty() && way_.server_header.empty() ? say(WaySaid::between_none)
            : way_.server_header.empty()
                ? way_.front
                : say(WaySaid::between, {way_.front.empty() ? "?" : way_.front, escaped(way_.server_header)});
        if (!way_.via.empty()) text += say(WaySaid::between_via, {escaped(way_.via)});
        add(WayStep::between, Grade::ok, std::move(text), {});
    }

    void size() {
        const Asked& it = way_.size;
        if (!way_.part.passed) return;  // Said of the parts.
        const std::string passed = size_text(way_.passed_bytes);
        if (way_.passed_bytes >= way_bytes_wanted)
            return add(WayStep::body_size, Grade::ok, say(WaySaid::size_passes, {passed}), {});
        if (way_.refused_bytes == 0)
            return add(WayStep::body_size, Grade::warn, say(WaySaid::size_cut, {passed}),
                       cure(std::nullopt, ProxySetting::body_size, way_bytes_wanted));
        const std::string exact = fmt::format("{} B", way_.passed_bytes),
                          refused = fmt::format("{} B", way_.refused_bytes);
        const std::string text = it.broke.empty()
                                     ? say(WaySaid::size_refused, {exact, refused, who(it), std::to_string(it.status)})
                                     : say(WaySaid::size_broke, {exact, refused, escaped(it.broke)});
        add(WayStep::body_size, Grade::bad, text, cure(it.hop, ProxySetting::body_size, way_bytes_wanted));
    }

    void parts() {
        const Asked& it = way_.part;
        if (it.passed) return add(WayStep::parts, Grade::ok, say(WaySaid::parts_pass, {size_text(way_part_bytes)}), {});
        const std::string text = it.hop ? sentence_of(*it.hop, it.status, way_part_bytes, language_) : not_known(it);
        add(WayStep::parts, Grade::bad, text, say(WaySaid::cure_parts));
    }

    void slow() {
        const Asked& it = way_.slow;
        const std::string pause = wording::duration(language_, sys::ms_of(way_pause));
        const bool own =
            !it.passed && !it.hop && it.broke.empty();  // The server itself would not take it: nothing is learnt.
        if (own) return add(WayStep::slow_body, Grade::warn, not_known(it), say(WaySaid::cure_reach));
        if (!it.passed) {
            const std::string text = it.hop ? say(WaySaid::slow_refused, {pause, who(it), std::to_string(it.status)})
                                            : say(WaySaid::slow_broke, {pause, escaped(it.broke)});
            return add(WayStep::slow_body, Grade::bad, text, cure(it.hop, ProxySetting::body_time));
        }
        add(WayStep::slow_body, Grade::ok, say(WaySaid::slow_passes, {pause}), {});
        const bool streamed = way_.receiving_ms >= sys::ms_of(way_pause) - tolerated_ms;
        add(WayStep::request_buffering, streamed ? Grade::ok : Grade::warn,
            say(streamed ? WaySaid::streamed : WaySaid::gathered), cure(std::nullopt, ProxySetting::request_streamed));
    }

    void events() {
        if (!way_.events.passed)
            return add(WayStep::event_stream, Grade::bad, not_known(way_.events),
                       cure(way_.events.hop, ProxySetting::answer_streamed));
        const bool timely = way_.events_ms >= events_apart_min_ms;
        add(WayStep::event_stream, timely ? Grade::ok : Grade::warn,
            say(timely ? WaySaid::events_pass : WaySaid::events_late),
            cure(std::nullopt, ProxySetting::answer_streamed));
    }

    void expect() {
        if (!way_.leave_ms) return;
        const bool timely = *way_.leave_ms <= leave_ms_max;
        add(WayStep::expect, timely ? Grade::ok : Grade::warn, say(timely ? WaySaid::continues : WaySaid::no_continue),
            say(WaySaid::cure_expect));
    }

    void methods() {
        std::string lost;
        for (const std::string& one : way_.methods_lost) lost += (lost.empty() ? "" : ", ") + one;
        const std::string text =
            lost.empty() ? say(WaySaid::methods_pass, {"HEAD, PATCH, DELETE"}) : say(WaySaid::methods_lost, {lost});
        add(WayStep::methods, lost.empty() ? Grade::ok : Grade::bad, text, say(WaySaid::cure_methods));
    }

    void clock() {
        const double off_s = static_cast<double>(way_.clock_off_ms) / 1000;
        const bool right = std::abs(way_.clock_off_ms) <= std::chrono::milliseconds{way_clock_off_max}.count();
        add(WayStep::clock, right ? Grade::ok : Grade::warn,
            say(right ? WaySaid::clock_right : WaySaid::clock_wrong, {fmt::format("{:.1f}", off_s)}),
            say(WaySaid::cure_clock));
    }

    const Way& way_;
    const Url& url_;
    const Language language_;
    std::vector<WayFinding> found_;
};

}  // namespace

std::string_view to_string(Grade grade) { return grade == Grade::ok ? "ok" : grade == Grade::warn ? "warn" : "bad"; }

std::vector<WayFinding> findings_of(const Way& way, const Url& url, Language language) {
    return Judging{way, url, language}.all();
}

}  // namespace assay::client
