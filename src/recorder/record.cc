#include "recorder/record.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "base/log.hh"
#include "base/text.hh"
#include "recorder/crc32c.hh"
#include "recorder/feed.hh"
#include "recorder/host.hh"
#include "recorder/rates.hh"
#include "recorder/reading.hh"
#include "recorder/sampler.hh"
#include "recorder/suspicion.hh"
#include "sys/file.hh"
#include "sys/own_pages.hh"
#include "sys/process.hh"
#include "sys/quiet.hh"
#include "sys/socket.hh"
#include "sys/standing.hh"

namespace assay::recorder {
namespace {

constexpr std::uint64_t ms_ns = 1'000'000;
constexpr std::uint64_t descriptors_wanted = 2'048;      // 64 groups with a dozen files each
constexpr std::chrono::seconds predecessor_end_max{10};
constexpr std::chrono::milliseconds lock_try_every{50};

// One recorder at a time writes into a directory. A predecessor whose server was killed ends within moments.
Result<std::optional<sys::ProcessLock>> take_lock(const std::string& path, int end_when_ready) {
    if (path.empty()) return std::optional<sys::ProcessLock>{};
    const sys::TimePoint until = sys::system_clock().now() + predecessor_end_max;
    for (;;) {
        auto lock = sys::ProcessLock::take(path);
        if (lock) return std::optional{std::move(lock).value()};
        const sys::TimePoint now = sys::system_clock().now();
        if (lock.error().fault() != Fault::conflict || now >= until) return lock.take_error();
        const int watched[] = {end_when_ready};
        ASSAY_TRY(const auto ready, sys::wait_any(watched, now + lock_try_every));
        if (ready[0]) return Error{Fault::interrupted, "told to end"};
    }
}

// Processors in full use are what a machine that grades is for: told, but no reason to use more of them.
constexpr std::uint64_t worth_no_look = static_cast<std::uint64_t>(Sign::cpu_stall);

class Recorder {
public:
    Recorder(const RecordOptions& options, Rings& rings, std::optional<FeedReader> feed)
        : options_{options},
          rings_{rings},
          feed_{std::move(feed)},
          frame_{std::make_unique<Frame>()},
          before_{std::make_unique<Frame>()} {}

    void prepare(sys::Fd trigger) {
        const auto boot = sys::read_file("/proc/sys/kernel/random/boot_id", 64);
        if (boot) boot_ = crc32c(bytes_of(trimmed(*boot)));
        sampler_.start();
        trigger_ = std::move(trigger);
    }

    // Everything a frame needs has been touched once afterwards.
    void rehearse() {
        for (int i = 0; i < 2; ++i) {
            sys::wait_quietly({}, 0);
            take(sys::this_moment(), 0, true);
            (void)signs_of(rates_between(*before_, *frame_), *frame_);
            rings_.rehearse(*frame_);
            std::swap(frame_, before_);
        }
        before_->sequence = 0;
        opened_ = before_->pressure;
    }

    Recorded run() {
        Recorded done;
        const sys::OwnUse begin = sys::own_use();
        own_faults_at_start_ = begin.major_faults;
        sys::Moment now = sys::this_moment();
        const std::uint64_t end_ns =
            options_.for_ms > 0 ? now.monotonic_ns + options_.for_ms * ms_ns : ~std::uint64_t{0};
        std::uint64_t due_ns = now.monotonic_ns;
        for (;;) {
            // What came due while it slept or waited is taken once, late, and its lateness is told.
            std::array<sys::Watched, 2> watched{
                {{.fd = options_.end_when_ready}, {.fd = trigger_.get(), .urgent = true}}};
            sys::wait_quietly(watched, std::min(due_ns, end_ns));
            now = sys::this_moment();
            if (watched[0].ready) {  // The last frame has what the server said as it ended.
                done.bytes += frame(now, 0, false);
                ++done.frames;
            }
            if (watched[0].ready || now.monotonic_ns >= end_ns) break;
            const bool triggered = watched[1].ready;
            if (now.monotonic_ns < due_ns && !triggered) continue;
            const std::uint64_t late_ns = now.monotonic_ns > due_ns ? now.monotonic_ns - due_ns : 0;
            const std::size_t bytes = frame(now, late_ns, triggered);
            ++done.frames;
            done.bytes += bytes;
            done.late_us_max = std::max(done.late_us_max, late_ns / 1'000);
            due_ns = (triggered ? now.monotonic_ns : due_ns) + interval_ms() * ms_ns;
            if (due_ns < now.monotonic_ns) due_ns = now.monotonic_ns;
        }
        const sys::OwnUse end = sys::own_use();
        done.cpu_us = end.cpu_us - begin.cpu_us;
        done.major_faults = end.major_faults - begin.major_faults;
        return done;
    }

private:
    std::uint64_t interval_ms() const {
        return options_.interval_ms > 0 ? options_.interval_ms : suspicion_.interval_ms();
    }

    void take(const sys::Moment& now, std::uint64_t late_ns, bool closer) {
        Frame& frame = *frame_;
        frame.boot = boot_;
        frame.boot_time_ns = now.boot_time_ns;
        frame.monotonic_ns = now.monotonic_ns;
        frame.real_time_ns = now.real_time_ns;
        frame.late_us = static_cast<std::uint32_t>(std::min<std::uint64_t>(late_ns / 1'000, ~std::uint32_t{0}));
        frame.sections = 0;
        frame.events.clear();
        frame.tasks.clear();
        if (feed_) feed_->read(frame, now.monotonic_ns);
        for (const Event& event : frame.events) {
            if (event.kind == static_cast<std::uint64_t>(EventKind::job_started))
                sampler_.job_began(event.text.view(), event.subject);
        }
        sampler_.sample(frame, now.monotonic_ns, closer);
        // Afterwards: what its group did since the last frame was this job's.
        std::size_t at = 0;
        for (const Event& event : frame.events) {
            if (event.kind == static_cast<std::uint64_t>(EventKind::job_ended) && !begins_again(frame, at, event))
                sampler_.job_ended(event.subject);
            ++at;
        }
    }

    std::size_t frame(const sys::Moment& now, std::uint64_t late_ns, bool triggered) {
        const std::uint64_t cpu_us = sys::own_use().cpu_us;
        take(now, late_ns, suspicion_.suspicious());
        Frame& frame = *frame_;
        frame.sequence = rings_.next_sequence();

        const bool known = before_->sequence != 0;
        const Rates rates = known ? rates_between(*before_, frame) : Rates{};
        if (!known) note(frame, EventKind::boot, 0);
        if (rates.clock_step_seconds != 0)
            note(frame, EventKind::clock_step,
                 static_cast<std::uint64_t>(static_cast<std::int64_t>(rates.clock_step_seconds * 1e3)));
        if (frame.events.size() > 0) frame.set(Section::events);
        const std::uint64_t signs =
            signs_of(rates, frame) | (triggered && trigger_holds(opened_, frame.pressure) ? static_cast<std::uint64_t>(Sign::trigger) : 0);
        const sys::OwnUse use = sys::own_use();
        frame.recorder = {.suspicion = suspicion_.look(signs & ~worth_no_look, now.monotonic_ns) | (signs & worth_no_look),
                          .unreadable = sampler_.unreadable(),
                          .own_major_faults_total = use.major_faults - own_faults_at_start_,
                          .cold_lag_frames = rings_.cold_lag_frames(),
                          .cold_errors_total = rings_.cold_errors()};
        frame.recorder.interval_ms = interval_ms();
        frame.set(Section::recorder);
        frame.cost_us = static_cast<std::uint32_t>(use.cpu_us - cpu_us);
        const std::size_t bytes = rings_.append(frame, suspicion_.suspicious());
        *before_ = frame;
        return bytes;
    }

    // Whether, behind the event at `at`, there is the begin of the same job.
    static bool begins_again(const Frame& frame, std::size_t at, const Event& ended) {
        return std::any_of(frame.events.begin() + at, frame.events.end(), [&ended](const Event& later) {
            return later.kind == static_cast<std::uint64_t>(EventKind::job_started) && later.subject == ended.subject;
        });
    }

    static void note(Frame& frame, EventKind kind, std::uint64_t value) {
        if (Event* const event = frame.events.add())
            *event = {.kind = static_cast<std::uint64_t>(kind), .monotonic_ns = frame.monotonic_ns, .value = value};
    }

    const RecordOptions& options_;
    Rings& rings_;
    std::optional<FeedReader> feed_;
    Sampler sampler_;
    Suspicion suspicion_;
    sys::Fd trigger_;
    std::uint32_t boot_ = 0;
    std::uint64_t own_faults_at_start_ = 0;
    std::unique_ptr<Frame> frame_;
    std::unique_ptr<Frame> before_;
    Pressure opened_;  // as it was when the trigger was new
};

void note_refusal(std::vector<std::string>& refused, std::string_view what, const Result<>& result) {
    if (!result) refused.push_back(fmt::format("{}: {}", what, result.error().text()));
}

}  // namespace

Result<Recorded> record(const RecordOptions& options,
                        const std::function<void(const std::vector<std::string>&)>& started) {
    std::vector<std::string> refused;
    (void)sys::raise_descriptors(descriptors_wanted);
    Granted granted = ask_host();
    for (const Wish& wish : granted.wishes) {
        if (!wish.refused.empty()) refused.push_back(fmt::format("{} ({}): {}", wish.wanted, wish.refused, wish.instead));
    }
    const auto pages = sys::OwnPages::open();
    if (options.become) ASSAY_CHECK(sys::become_and_lock(options.become->first, options.become->second));
    sys::keep_files_private();
    if (!options.directory.empty()) ASSAY_CHECK(sys::make_directory(options.directory));
    ASSAY_TRY([[maybe_unused]] const auto lock, take_lock(options.lock, options.end_when_ready));
    ASSAY_TRY(const std::unique_ptr<Rings> rings, Rings::open(options.places, refused));
    if (!options.hot_link.empty() && !options.places.hot.empty()) {
        note_refusal(refused, "saying where the hot ring is",
                     sys::point_link(options.hot_link.c_str(), options.places.hot.c_str()));
    }
    std::optional<FeedReader> feed;
    if (options.feed != nullptr) { ASSAY_TRY(feed, FeedReader::open(*options.feed)); }
    const auto recorder = std::make_unique<Recorder>(options, *rings, std::move(feed));
    recorder->prepare(std::move(granted.trigger));
    rings->start();
    if (pages) pages->forget_text();
    recorder->rehearse();
    const Result<std::int64_t> locked = pages ? pages->lock_present(rings->memory()) : Result<std::int64_t>{pages.error()};
    if (!locked) refused.push_back(fmt::format("all of its memory locked: {}", locked.error().text()));
    started(refused);
    Recorded done = recorder->run();
    const bool whole = rings->finish();
    done.cold_errors = rings->cold_errors();
    done.cold_lag_frames = rings->cold_lag_frames();
    // All that the hot ring has is on the disk: it need not outlive us.
    if (whole && done.cold_lag_frames == 0 && !options.places.hot.empty() && !options.places.cold.empty()) {
        (void)sys::remove_file(options.places.hot);
        if (!options.hot_link.empty()) (void)sys::remove_file(options.hot_link);
    }
    return done;
}

RecordOptions options_for(const std::string& data, std::int64_t cold_bytes) {
    const std::string directory = data + "/recorder";
    return {
        .places = {.cold = cold_bytes > 0 ? cold_path(data) : "", .cold_bytes = cold_bytes, .hot = hot_path_for(data)},
        .directory = directory,
        .lock = directory + "/lock",
        .hot_link = hot_link_path(data)};
}

int recorder_main(std::string_view as) {
    sys::ignore_stop_signals();
    const sys::Fd connection{3};
    const sys::Fd feed{4};
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t cold_bytes = 0;
    const auto parts = split(as, '-');
    const auto read = [](std::string_view text, auto& number) {
        return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{};
    };
    if (parts.size() < 4 || !read(parts[0], uid) || !read(parts[1], gid) || !read(parts[2], cold_bytes)) return 2;
    const std::string data{as.substr(static_cast<std::size_t>(parts[3].data() - as.data()))};
    const auto run = [&]() -> Result<> {
        RecordOptions options = options_for(data, cold_bytes);
        options.end_when_ready = connection.get();
        options.feed = &feed;
        if (sys::effective_uid() == 0) options.become = {uid, gid};
        if (const std::size_t removed = remove_dead_rings(options.places.hot)) log::info("recorder.dead_rings_removed", {{"rings", static_cast<std::int64_t>(removed)}});
        ASSAY_TRY(const Recorded done, record(options, [](const std::vector<std::string>& refused) {
                      for (const std::string& what : refused) log::warn("recorder.refused", {{"what", what}});
                      log::info("recorder.started", {{"pid", sys::current_pid()}});
                  }));
        if (done.cold_lag_frames > 0) log::warn("recorder.behind", {{"frames", done.cold_lag_frames}});
        return ok;
    };
    if (auto done = run(); !done && done.error().fault() != Fault::interrupted) {
        log::error("recorder.ended", {{"error", done.error().text()}});
        return 1;
    }
    return 0;
}

}  // namespace assay::recorder
