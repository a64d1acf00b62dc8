// assay replay: looks back at what the flight recorder saw.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/text.hh"
#include "cli/commands.hh"
#include "cli/when.hh"
#include "recorder/reading.hh"
#include "recorder/timeline.hh"
#include "sys/file.hh"
#include "sys/socket.hh"
#include "sys/terminal.hh"
#include "sys/zone.hh"

namespace assay::cli {
namespace {

constexpr std::int64_t ms_ns = 1'000'000;
constexpr std::int64_t usual_ns = 15LL * 60 * 1000 * ms_ns;    // without any range: the last quarter of an hour,
constexpr std::int64_t around_before_ns = 120LL * 1000 * ms_ns;  // and around a moment what led to it
constexpr std::int64_t around_after_ns = 60LL * 1000 * ms_ns;
constexpr std::chrono::milliseconds live_every{500};

// Output that goes on screen by screen where a person reads it.
class Shown {
public:
    explicit Shown(bool paged) {
        if (paged && sys::is_terminal(1)) pager_ = ::popen("exec less -RSX", "w");
        if (pager_ != nullptr) out_ = pager_;
    }
    ~Shown() {
        std::fflush(out_);
        if (pager_ != nullptr) ::pclose(pager_);
    }
    Shown(const Shown&) = delete;
    Shown& operator=(const Shown&) = delete;
    // false: nobody reads any more.
    bool print(std::string_view text) { return std::fwrite(text.data(), 1, text.size(), out_) == text.size(); }

private:
    std::FILE* out_ = stdout;
    std::FILE* pager_ = nullptr;
};

Result<recorder::Range> range_of(const ReplayCommand& command, const recorder::Recording::Extent& extent,
                                 const std::string& zone) {
    const sys::WallTime now = sys::system_clock().wall();
    const auto ns = [&](const std::string& text) -> Result<std::int64_t> {
        ASSAY_TRY(const sys::WallTime when, parse_when(text, now, zone));
        return sys::to_ms(when) * ms_ns;
    };
    recorder::Range range;
    if (!command.at.empty()) {
        ASSAY_TRY(const std::int64_t at, ns(command.at));
        return recorder::Range{.from_ns = at - around_before_ns, .to_ns = at + around_after_ns};
    }
    if (!command.from.empty()) { ASSAY_TRY(range.from_ns, ns(command.from)); }
    if (!command.to.empty()) { ASSAY_TRY(range.to_ns, ns(command.to)); }
    const bool programs = command.json || command.csv;
    if (command.from.empty() && command.to.empty() && !command.all && !programs)
        range.from_ns = extent.newest_ns - std::min(extent.newest_ns, usual_ns);
    return range;
}

Result<> tell_programs(recorder::Recording& recording, const recorder::Range& range, bool json, Shown& shown) {
    const auto before = std::make_unique<recorder::Frame>();
    if (!json) (void)shown.print(recorder::csv_header());
    return recording.each(range, [&](const recorder::Frame& frame) {
        const bool known = before->sequence != 0;
        const recorder::Rates rates = known ? recorder::rates_between(*before, frame) : recorder::Rates{};
        *before = frame;
        return shown.print(json ? recorder::frame_json(frame, known ? &rates : nullptr) + "\n"
                                : recorder::csv_line(frame, rates));
    });
}

void tell_rows(const recorder::Timeline& line, const std::string& zone, Shown& shown) {
    auto event = line.events().begin();
    for (const recorder::Point& point : line.points()) {
        for (; event != line.events().end() && event->time_ns <= point.time_ns; ++event)
            (void)shown.print(recorder::row_of(*event, zone));
        if (!shown.print(recorder::row_of(point, zone))) return;
    }
    for (; event != line.events().end(); ++event) (void)shown.print(recorder::row_of(*event, zone));
}

// Row after row as they come, until nobody reads or it is interrupted.
Result<> live(const ReplayCommand& command, const std::string& zone) {
    Shown shown{false};
    const std::int64_t now_ns = sys::to_ms(sys::system_clock().wall()) * ms_ns;
    const auto before = std::make_unique<recorder::Frame>();
    if (!command.json) (void)shown.print(recorder::rows_header());
    recorder::Range range{.from_ns = now_ns - 10'000 * ms_ns};
    for (;;) {
        ASSAY_TRY(recorder::Recording recording, recorder::Recording::open_hot(command.path));
        bool read = true;
        ASSAY_CHECK(recording.each(range, [&](const recorder::Frame& frame) {
            if (frame.sequence <= before->sequence) return true;
            const bool known = before->sequence != 0;
            const recorder::Rates rates = known ? recorder::rates_between(*before, frame) : recorder::Rates{};
            if (command.json) {
                read = shown.print(recorder::frame_json(frame, known ? &rates : nullptr) + "\n");
            } else if (known) {
                recorder::Timeline line{frame.real_time_ns, ms_ns};
                line.add(*before);
                recorder::Timeline pair{before->real_time_ns, ms_ns};
                pair.add(*before);
                pair.add(frame);
                for (const recorder::LineEvent& event : pair.events()) {
                    if (event.event.monotonic_ns > before->monotonic_ns)
                        read = shown.print(recorder::row_of(event, zone));
                }
                read = shown.print(recorder::row_of(pair.points().back(), zone)) && read;
            }
            *before = frame;
            range.from_ns = frame.real_time_ns - 10'000 * ms_ns;
            return read;
        }));
        if (std::fflush(stdout) != 0 || !read) return ok;
        ASSAY_TRY(const auto nothing, sys::wait_any({}, sys::system_clock().now() + live_every));
        (void)nothing;
    }
}

Result<> replay(const ReplayCommand& command) {
    const std::string zone = sys::server_zone();
    if (command.live) return live(command, zone);
    ASSAY_TRY(recorder::Recording recording, recorder::Recording::open(command.path));
    if (recording.empty()) return Error{Fault::missing, command.path + ": holds no frames"};
    const recorder::Recording::Extent extent = recording.extent();
    ASSAY_TRY(const recorder::Range range, range_of(command, extent, zone));
    if (command.json || command.csv) {
        Shown shown{false};
        return tell_programs(recording, range, command.json, shown);
    }
    const std::int64_t from = std::max(range.from_ns, extent.oldest_ns);
    const std::int64_t to = std::min(range.to_ns, extent.newest_ns);
    recorder::Timeline line{from, recorder::step_for(from, to)};
    ASSAY_CHECK(recording.each(range, [&](const recorder::Frame& frame) {
        line.add(frame);
        return true;
    }));
    if (line.points().empty()) {
        return Error{Fault::missing,
                     fmt::format("nothing was recorded then; there are frames from {} to {}",
                                 sys::date_and_time(sys::wall_from_ms(extent.oldest_ns / ms_ns), zone),
                                 sys::date_and_time(sys::wall_from_ms(extent.newest_ns / ms_ns), zone))};
    }
    if (!command.html.empty()) {
        const std::string title = fmt::format(
            "{} to {} ({})", sys::date_and_time(sys::wall_from_ms(line.points().front().time_ns / ms_ns), zone),
            sys::date_and_time(sys::wall_from_ms(line.last_ns() / ms_ns), zone), zone);
        const std::string page = recorder::html_page(line, title, zone);
        if (command.html == "-") {
            Shown shown{false};
            (void)shown.print(page);
            return ok;
        }
        ASSAY_CHECK(sys::write_file_durably(command.html, page));
        fmt::print(stderr, "assay: wrote {}\n", command.html);
        return ok;
    }
    Shown shown{true};
    (void)shown.print(recorder::rows_header());
    tell_rows(line, zone, shown);
    return ok;
}

}  // namespace

ExitCode replay_command(const ReplayCommand& command) {
    const auto done = replay(command);
    if (done) return ExitCode::done;
    const bool wrong = done.error().fault() == Fault::invalid;
    const ExitCode code = fail(done.error());
    return wrong ? ExitCode::misused : code;
}

}  // namespace assay::cli
