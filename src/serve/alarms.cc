#include "serve/alarms.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <iterator>

#include "api/auth.hh"
#include "api/metrics.hh"
#include "base/log.hh"
#include "base/text.hh"
#include "serve/host_figures.hh"
#include "serve/troubles.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/zone.hh"
#include "wording/wording.hh"

namespace assay::serve {
namespace {

constexpr auto english = wording::Language::english;
constexpr std::size_t offenders_named = 5;
constexpr std::int64_t deadline_look_ms = 60'000;
constexpr std::size_t host_name_bytes_max = 256;

// What is asked of the store now and then: broken modules by name, and how near the nearest deadline of one whose work waits is.
class Gatherer {
public:
    explicit Gatherer(AlarmParts parts) : parts_{std::move(parts)} {}

    void add_to(alert::Figures& figures) {
        const std::int64_t now_ms = sys::to_ms(parts_.clock.wall());
        const auto page = api::metrics_text(*parts_.rooms.store, parts_.board, parts_.verify_oldest_ms(), now_ms);
        if (page) alert::add_metrics(figures, *page);
        add_disk(figures);
        add_modules(figures);
        add_deadline(figures, now_ms);
        figures.set("assay_loop_lag_seconds", parts_.pulse.lag_ms() / 1000);
        figures.findings["no_runner"].cause = wording::sentence(english, parts_.board.no_runner());
        host_.add_to(figures, parts_.clock.now(), parts_.clock.wall());
        troubles_.add_to(figures, parts_.clock.now(), parts_.clock.wall());
        const auto permille = [&](const char* name) {
            return static_cast<std::uint16_t>(std::clamp(figures.sum(name, {}).value_or(0), 0.0, 1.0) * 1000);
        };
        parts_.vitals.waiting = static_cast<std::uint32_t>(figures.sum("assay_queue_waiting", {}).value_or(0));
        parts_.vitals.running = static_cast<std::uint32_t>(figures.sum("assay_queue_running", {}).value_or(0));
        parts_.vitals.memory_permille = permille("assay_memory_available_ratio");
        parts_.vitals.disk_permille = permille("assay_disk_used_ratio");
    }

private:
    void add_disk(alert::Figures& figures) {
        const auto state = parts_.rooms.space->state();
        const auto bytes = [](std::int64_t count) { return static_cast<double>(count); };
        figures.set("assay_disk_free_bytes", bytes(state.room.free_bytes));
        figures.set("assay_disk_free_files", bytes(state.room.free_files));
        if (state.room.size_bytes > 0)
            figures.set("assay_disk_used_ratio", 1 - bytes(state.room.free_bytes) / bytes(state.room.size_bytes));
        if (state.needed_bytes > 0)
            figures.set("assay_disk_spare_ratio", bytes(state.room.free_bytes) / bytes(state.needed_bytes));
        const auto read_only = parts_.rooms.store->read_only();
        figures.set("assay_store_read_only", read_only ? 1 : 0);
        auto untrusted = parts_.rooms.blobs.untrusted();
        std::ranges::move(parts_.rooms.revisions.untrusted(), std::back_inserter(untrusted));
        figures.set("assay_directories_untrusted", static_cast<double>(untrusted.size()));
        const auto reserve = parts_.board.disk_reserve();
        figures.set("assay_intake_refusing", reserve ? 1 : 0);
        if (reserve) figures.findings["intake_refusing"].cause = wording::sentence(english, *reserve);
        if (read_only) figures.findings["data_at_risk"].cause = *read_only;
        else if (!untrusted.empty())
            figures.findings["data_at_risk"].cause = fmt::format("a sync failed in {} directories", untrusted.size());
        figures.findings["disk_nearly_full"].cause =
            fmt::format("{} of {} are free", size_text(state.room.free_bytes), size_text(state.room.size_bytes));
    }

    void add_modules(alert::Figures& figures) {
        std::vector<std::string> broken, paused;
        const auto asked = parts_.rooms.store->read([&](store::Reading& reading) -> Result<> {
            ASSAY_TRY(const auto standings, reading.paused());
            for (const store::Standing& it : standings) {
                auto& names = it.paused == model::Reason::grader_broken ? broken : paused;
                if (names.size() < offenders_named) names.push_back(it.course.text() + "/" + it.module.text());
            }
            return ok;
        });
        if (!asked) return;
        figures.findings["grader_broken"] = {.cause = wording::sentence(english, model::Reason::grader_broken),
                                             .offender = fmt::format("{}", fmt::join(broken, ", "))};
        figures.findings["module_paused"].offender = fmt::format("{}", fmt::join(paused, ", "));
    }

    // Of the modules that wait in line; parsed plans are remembered, and it is asked once a minute.
    void add_deadline(alert::Figures& figures, std::int64_t now_ms) {
        if (now_ms - deadline_asked_ms_ >= deadline_look_ms || now_ms < deadline_asked_ms_) {
            deadline_asked_ms_ = now_ms;
            deadline_ms_.reset();
            const auto asked = parts_.rooms.store->read([&](store::Reading& reading) -> Result<> {
                ASSAY_TRY(const auto heads, reading.heads());
                std::vector<RevisionId> seen;
                for (const store::QueuedJob& head : heads) {
                    const RevisionId revision = head.revision;
                    if (std::ranges::find(seen, revision) != seen.end()) continue;
                    seen.push_back(revision);
                    ASSAY_TRY(const auto plan, parts_.plans.get(reading, revision));
                    for (const auto& at_ms : {plan->due_ms, plan->closes_ms}) {
                        if (at_ms && *at_ms > now_ms && (!deadline_ms_ || *at_ms < *deadline_ms_)) deadline_ms_ = at_ms;
                    }
                }
                return ok;
            });
            if (!asked) log::warn("alerts.deadline_not_read", {{"error", asked.error().text()}});
        }
        constexpr double none_s = 1e9;
        figures.set("assay_deadline_seconds",
                    deadline_ms_ ? static_cast<double>(*deadline_ms_ - now_ms) / 1000 : none_s);
    }

    AlarmParts parts_;
    HostFigures host_;
    Troubles troubles_{parts_.data};
    std::int64_t deadline_asked_ms_ = 0;
    std::optional<std::int64_t> deadline_ms_;
};

std::string host_name(const alert::Config& config) {
    if (!config.host.empty()) return config.host;
    const auto name = sys::read_file("/proc/sys/kernel/hostname", host_name_bytes_max);
    return name ? std::string{trimmed(*name)} : "assay";
}

using Act = std::function<Result<std::string>(alert::Keeper&, const http::Request&)>;

loop::Task<http::Response> command(http::Request request, std::function<alert::Keeper*()> keeper, loop::Pool& pool,
                                   Act act, const char* type) {
    if (auto refused = api::not_staff(request, sys::effective_uid())) co_return *refused;
    alert::Keeper* const asked = keeper();
    if (asked == nullptr) co_return http::problem_of(Error{Fault::interrupted, "the server is stopping"});
    const auto work = [&] { return act(*asked, request); };
    auto done = co_await pool.run(work);
    if (!done) co_return http::problem_of(done.error());
    http::Response response;
    response.with("Content-Type", type).body = std::move(done).value();
    co_return response;
}

std::string parameter(const http::Request& request, std::string_view name) {
    const auto value = request.parameter(name);
    return value ? std::string{*value} : "";
}

Result<std::string> silence(alert::Keeper& keeper, const http::Request& request) {
    const std::string text = parameter(request, "for_ms");
    std::int64_t for_ms = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), for_ms).ec != std::errc{} || for_ms < 0 ||
        for_ms > alert::silence_ms_max) {
        return Error{Fault::invalid, "a silence lasts at most 31 days"};
    }
    return keeper.silence(parameter(request, "match"), for_ms, parameter(request, "author"),
                          parameter(request, "reason"));
}

}  // namespace

std::unique_ptr<alert::Keeper> start_alarms(const alert::Config& config, AlarmParts parts) {
    auto keeper = std::make_shared<std::atomic<const alert::Keeper*>>(nullptr);  // Its own delay is a figure as well.
    const auto gatherer = std::make_shared<Gatherer>(parts);
    alert::KeeperParts made{.host = host_name(config), .rules = config.rules, .receivers = config.receivers};
    made.state_path = parts.data + "/alerts";
    made.zone = parts.zone;
    made.on_change = parts.on_change;
    made.source = [gatherer, keeper](alert::Figures& figures) {
        gatherer->add_to(figures);
        if (const alert::Keeper* const self = keeper->load())
            figures.set("assay_alerts_undelivered_seconds", static_cast<double>(self->undelivered_ms()) / 1000);
    };
    auto started = std::make_unique<alert::Keeper>(std::move(made));
    keeper->store(started.get());
    return started;
}

std::unique_ptr<Beacon> start_beacon(const alert::Config& config, const alert::Keeper& keeper, const Pulse& pulse,
                                     const queue::Board& board, const Vitals& vitals) {
    if (config.digest_to.empty()) return nullptr;
    return std::make_unique<Beacon>(config.digest_to, config.digest_secret, [&, host = host_name(config)] {
        alert::Keeper::Summary summary = keeper.summary();
        return alert::Digest{.loop_lag_ms = static_cast<std::uint32_t>(pulse.lag_ms()),
                             .waiting = vitals.waiting,
                             .running = vitals.running,
                             .slots = static_cast<std::uint32_t>(std::max(0, board.slots())),
                             .incidents = static_cast<std::uint32_t>(summary.incidents),
                             .memory_permille = vitals.memory_permille,
                             .disk_permille = vitals.disk_permille,
                             .host = host,
                             .cause = std::move(summary.cause)};
    });
}

void add_alert_routes(http::Router& router, std::function<alert::Keeper*()> keeper, loop::Pool& pool) {
    const auto add = [&](const char* method, const char* pattern, Act act, const char* type) {
        router.add(method, pattern, [keeper, &pool, act, type](http::Request request, http::Reader&) {
            return command(std::move(request), keeper, pool, act, type);
        });
    };
    constexpr const char* text = "text/plain; charset=utf-8";
    add(
        "GET", "/admin/alerts",
        [](alert::Keeper& it, const http::Request&) -> Result<std::string> { return it.list_json(); },
        "application/json");
    add(
        "POST", "/admin/alerts/test",
        [](alert::Keeper& it, const http::Request& request) { return it.test(parameter(request, "receiver")); }, text);
    add("POST", "/admin/alerts/silence", silence, text);
    add(
        "POST", "/admin/alerts/unsilence",
        [](alert::Keeper& it, const http::Request& request) { return it.unsilence(parameter(request, "id")); }, text);
}

}  // namespace assay::serve
