// Start: directory and lock → (root: leftovers, helper, recorder) → drop rights → store → void leases → pools and loops → routes →
// listeners → runner → "listening". Stop: drain → give jobs back → close streams → helper → store.
#include "serve/serve.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iterator>
#include <thread>

#include "api/api.hh"
#include "archive/verifiers.hh"
#include "base/log.hh"
#include "http/answers.hh"
#include "http/metrics.hh"
#include "intake/intake.hh"
#include "queue/depth.hh"
#include "queue/line.hh"
#include "sandbox/cores.hh"
#include "sandbox/own_cores.hh"
#include "serve/admission_keeper.hh"
#include "serve/alarms.hh"
#include "serve/capacity.hh"
#include "serve/disk_keeper.hh"
#include "serve/grading.hh"
#include "serve/log_sink.hh"
#include "serve/recording.hh"
#include "serve/rooms.hh"
#include "serve/supervision.hh"
#include "store/commits.hh"
#include "sys/confine.hh"
#include "sys/file.hh"
#include "sys/lock_text.hh"
#include "sys/net.hh"
#include "sys/socket.hh"
#include "sys/zone.hh"
#include "web/web.hh"
#include "wording/wording.hh"

namespace assay::serve {
namespace {

constexpr std::size_t disk_threads = 24;  // most of them wait for a sync: the more at once, the fewer the disk has to do
constexpr std::size_t page_threads = 4;
constexpr std::size_t page_queue_max = 1024;
constexpr std::chrono::seconds drain_max{10};
constexpr std::chrono::hours idle_wait{1};

// Every running job of the predecessor goes back before anything is leased.
Result<> start_line(store::Store& store, std::int64_t now_ms) {
    std::int64_t count = 0;
    ASSAY_CHECK(store.write_and_wait([&](store::Tx& tx) -> Result<> {
        ASSAY_TRY(count, queue::void_all_leases(tx, now_ms));
        return ok;
    }, store::Need::essential));
    if (count > 0) log::info("leases.voided", {{"jobs", count}});
    return ok;
}

// How long work took before this start, so that expected starts are there from the first moment on.
Result<> recall_pace(store::Store& store, const queue::Board& board) {
    return store.read([&board](store::Reading& reading) -> Result<> {
        ASSAY_TRY(auto runs, reading.past_runs(queue::lengths_recalled));
        board.pace().recall(std::move(runs));
        return ok;
    });
}

void end_at_second_signal(const sys::Fd& signals) {
    constexpr int interrupted = 4;
    auto copy = sys::duplicate(signals);
    if (!copy) return;
    std::thread{[fd = std::move(copy).value()] {
        if (sys::next_signal(fd)) sys::exit_now(interrupted);
    }}.detach();
}

// What the recorder is told once a second. The line is counted less often, since that reads it.
class Levels {
public:
    Levels(store::Store& store, const queue::Board& board, const intake::VerifyLine& verifying, const sys::Clock& clock, recorder::Feed* feed)
        : store_{store}, board_{board}, verifying_{verifying}, clock_{clock}, feed_{feed} {}

    recorder::Server operator()() {
        if (calls_++ % line_every == 0) count_line();
        told_.slots = static_cast<std::uint64_t>(board_.slots());
        told_.connections = static_cast<std::uint64_t>(std::max<std::int64_t>(0, http::room_metrics().open.value()));
        told_.uploads_receiving = static_cast<std::uint64_t>(std::max<std::int64_t>(0, http::room_metrics().receiving.value()));
        told_.verify_oldest_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, verifying_.oldest_ms()));
        return told_;
    }

private:
    static constexpr int line_every = 5;
    void count_line() {
        (void)store_.read([this](store::Reading& reading) -> Result<> {
            ASSAY_TRY(const queue::Depth depth, queue::depth(reading, board_, sys::to_ms(clock_.wall())));
            std::int64_t waiting = 0;
            for (const auto& [reason, count] : depth.waiting) waiting += reason == model::Reason::held_by_staff ? 0 : count;
            const auto found = depth.waiting.find(model::Reason::image);
            const bool for_image = found != depth.waiting.end() && found->second > 0;
            if (for_image != for_image_) tell_decision(feed_, for_image ? 1 : 0, for_image ? "image" : "image_there");
            for_image_ = for_image;
            told_.jobs_waiting = static_cast<std::uint64_t>(waiting);
            told_.jobs_running = static_cast<std::uint64_t>(depth.running);
            told_.oldest_waiting_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, depth.oldest_ms));
            return ok;
        });
    }
    store::Store& store_;
    const queue::Board& board_;
    const intake::VerifyLine& verifying_;
    const sys::Clock& clock_;
    recorder::Feed* feed_;
    recorder::Server told_;
    bool for_image_ = false;  // a job waits
    int calls_ = 0;
};

void say_confinement() {
    const sys::Confinement it = sys::confinement();
    log::info("verifiers.confinement", {{"landlock_abi", it.landlock_abi}, {"system_call_filter", it.call_filter ? 1 : 0}});
    if (it.landlock_abi == 0) {
        log::warn("verifiers.no_landlock", {{"consequence", "archives are parsed behind the system-call filter alone"}});
    }
    if (!it.call_filter) {
        log::error("verifiers.no_filter", {{"consequence", "no archive can be parsed safely, so every upload is refused as internal"}});
    }
}

// The lease first: from then on it does not matter what its runner makes of commands that were killed.
void end_job(AdmissionKeeper& admission, dispatch::Dispatcher& dispatcher, const Privileged& privileged) {
    const auto ending = admission.take();
    if (!ending || !privileged.helper) return;
    if (!dispatcher.end_in_slot(ending->slot, ending->evidence)) return;
    const Result<> told = sandbox::end_commands(*privileged.helper, ending->slot);
    log::warn("admission.job_ended", {{"slot", ending->slot}, {"evidence", ending->evidence}, {"helper", told ? "told" : told.error().text()}});
}

void say_listening(const std::string& url) {
    fmt::print("listening on {}\n", url);
    std::fflush(stdout);
}

}  // namespace

Result<> serve(const Config& config) {
    sys::ignore_broken_pipes();
    sys::ServiceManager manager = sys::ServiceManager::from_environment();
    ASSAY_TRY(DataDirectory directory, DataDirectory::open(config.data, config.user, Opening::to_serve));
    ASSAY_TRY(const int slots, slots_of(config, sys::online_cpus()));
    ASSAY_TRY(Privileged privileged, start_privileged(directory, config, slots));  // While root, before any thread.
    if (config.cores_per_slot > 0)
        ASSAY_CHECK(sandbox::keep_to_rest(sandbox::machine_cores(), config.cores_per_slot, slots));
    RecorderKeeper recorder{directory, config.recorder_bytes};
    recorder::Feed* const feed = recorder.feed();
    if (feed != nullptr) {
        store::on_commit([feed](double ms) { feed->committed(ms); });
        http::on_answer([feed](std::string_view route, int status, double ms) { feed->answered(route, status, ms); });
    }
    const int cpus = sys::online_cpus();
    AdmissionKeeper admission{privileged.jobs, slots};
    const auto text_lock = sys::lock_text();  // Root may lock what it likes.
    ASSAY_TRY(const sys::Fd signals, sys::signal_descriptor({SIGTERM, SIGINT}));
    ASSAY_CHECK(directory.enter());
    log_to_stderr();
    say_confinement();
    if (text_lock) log::info("server.text_locked", {{"locked_bytes", text_lock->locked_bytes}, {"refused_bytes", text_lock->refused_bytes}});
    else log::warn("server.text_not_locked", {{"error", text_lock.error().text()}});
    // After the helper was forked: what runs in sandboxes has limits of its own.
    ASSAY_TRY(const std::uint64_t descriptors, sys::raise_descriptors(descriptors_wanted));
    const Capacity capacity = capacity_of(descriptors);

    const sys::Clock& clock = sys::system_clock();
    loop::Loops loops{static_cast<std::size_t>(cpus)};  // Outlives the store, whose last answers it takes.
    ASSAY_TRY(const auto rooms, open_rooms(directory, config.disk_reserve_bytes));
    ASSAY_CHECK(rooms->blobs.sweep());
    if (auto swept = rooms->images.sweep(); !swept) log::warn("images.not_swept", {{"error", swept.error().text()}});
    ASSAY_CHECK(start_line(*rooms->store, sys::to_ms(clock.wall())));

    // An upload waits for one of these at a time, so where every guest uploads none is turned away for it.
    const std::size_t guests_max = capacity.connections_max;
    loop::Pool receiving{"receiving", static_cast<std::size_t>(cpus), guests_max};
    loop::Pool disk{"disk", disk_threads, guests_max};
    loop::Pool pages{"pages", page_threads, page_queue_max};
    archive::Verifiers verifiers{{.processes_max = static_cast<std::size_t>(cpus)}};
    intake::VerifyLine verify_line{{.seats = static_cast<std::size_t>(cpus), .files_max = capacity.verify_files_max}};
    loop::Pool verifying{"verifying", static_cast<std::size_t>(cpus), static_cast<std::size_t>(cpus)};

    queue::Board board{sys::to_ms(clock.wall())};
    ASSAY_CHECK(recall_pace(*rooms->store, board));
    const auto why_no_runner = [&board] { return wording::sentence(wording::Language::english, board.no_runner()); };
    if (privileged.cannot) {
        board.set_no_runner(*privileged.cannot);
        log::warn("grading.unavailable", {{"why", why_no_runner()}});
    }
    const DiskKeeper disk_keeper{*rooms->space, *rooms->store, board, feed, privileged.scratch_kept_bytes};
    board.set_memory_max(jobs_memory_bytes(this_machine().memory_bytes));
    ASSAY_TRY(const auto guard, admission.start(board, directory.path(), config.admission, feed));
    course::PlanCache plans;
    const auto has_image = [&images = rooms->images](const std::string& digest) { return images.has(digest); };
    dispatch::Dispatcher dispatcher{{*rooms->store, rooms->blobs, rooms->revisions, board, loops, disk, clock, has_image,
                                     starts_to(feed, sandbox::commands_group(directory.id())), ends_to(feed)}};

    http::Router public_routes;
    http::Router admin_routes;
    http::Router ops_routes;
    http::Router runner_routes;
    http::Server public_server{loops, public_routes, {.connections_max = capacity.connections_max, .streams_max = capacity.event_streams_max}};
    http::Server admin_server{loops, admin_routes};
    http::Server ops_server{loops, ops_routes};
    http::Server runner_server{loops, runner_routes};

    // The address is known before the routes are, since receipts and links carry it; connections wait in the backlog until
    // the routes are there.
    ASSAY_TRY(const http::Server::Address wanted, http::parse_address(config.listen));
    ASSAY_TRY(sys::Fd public_socket, public_listener(manager, wanted));
    ASSAY_TRY(const std::uint16_t port, sys::bound_port(public_socket));
    ASSAY_CHECK(sys::set_nonblocking(public_socket));
    const std::string host = wanted.host.contains(':') ? "[" + wanted.host + "]" : wanted.host;
    const std::string listening_url = fmt::format("http://{}:{}", host, port);
    const std::string server_url = config.public_url.empty() ? listening_url : config.public_url;

    const auto refusal_page = [](const http::Request& request, int status, const std::string& sentence, const std::optional<intake::Sender>& sender) {
        const auto back = sender ? std::optional{web::Back{sender->course, sender->module, sender->key}} : std::nullopt;
        return web::refusal_answer(request, status, sentence, back);
    };
    ASSAY_TRY(const std::string boot, sys::read_file("/proc/sys/kernel/random/boot_id", 64));
    store::Partials partials{directory.inside("uploads"), std::string{trimmed(boot)}, rooms->space.get()};
    ASSAY_CHECK(partials.load(sys::to_ms(clock.wall())));
    intake::Spools spools{rooms->blobs, {.files_max = capacity.spools_max}};
    const std::int64_t in_flight_bytes = config.uploads_in_flight_bytes > 0 ? config.uploads_in_flight_bytes : in_flight_bytes_of(this_machine().memory_bytes);
    intake::Budget budget{{.bytes_max = in_flight_bytes}};
    intake::Parts intake_parts{*rooms->store, *rooms->space, spools, budget, partials, rooms->keys,
                               board,         receiving,     disk,   verify_line, verifying,
                               verifiers,     clock,         plans,  server_url,  refusal_page};
    web::Parts web_parts{*rooms->store, rooms->keys, board, pages, server_url, config.clients.empty() ? directory.inside("clients") : config.clients};
    const auto not_ready = [&board, why_no_runner]() -> std::string {
        if (board.draining()) return "the server is stopping";
        if (const auto why = board.disk_reserve()) return wording::sentence(wording::Language::english, *why);
        if (const auto why = board.pressure(); why && board.refuses_uploads()) return wording::sentence(wording::Language::english, *why);
        return board.slots() > 0 ? "" : why_no_runner();
    };
    const auto degraded = [&rooms]() -> std::string {
        auto paths = rooms->blobs.untrusted();
        std::ranges::move(rooms->revisions.untrusted(), std::back_inserter(paths));
        if (paths.empty()) return "";
        return fmt::format("a sync of {} failed; what belongs there is refused until the server is started again on a sound disk",
                           fmt::join(paths, ", "));
    };
    const auto verify_oldest_ms = [&verify_line] { return verify_line.oldest_ms(); };
    course::Machine machine = this_machine();
    machine.scratch_disk_bytes_max = std::int64_t{config.scratch_disk_mib_max} << 20U;
    machine.scratch_disk_lacks = privileged.scratch_disk_lacks;
    api::Parts api_parts{*rooms->store,
                         rooms->revisions,
                         rooms->images,
                         rooms->keys,
                         board,
                         pages,
                         disk,
                         clock,
                         server_url,
                         machine,
                         not_ready,
                         degraded,
                         verify_oldest_ms,
                         [&dispatcher](const queue::Token& token) { dispatcher.cancelled(token); }};
    intake::add_routes(public_routes, intake_parts);
    web::add_routes(public_routes, web_parts);
    api::add_public_routes(public_routes, api_parts);
    api::add_admin_routes(admin_routes, api_parts);
    api::add_ops_routes(ops_routes, api_parts);
    std::unique_ptr<alert::Keeper> alarms;
    add_alert_routes(admin_routes, [&alarms] { return alarms.get(); }, disk);
    dispatcher.add_routes(runner_routes);

    std::optional<Pulse> pulse;
    pulse.emplace(loops, beats_to(feed));
    Vitals vitals;
    alarms = start_alarms(config.alert, AlarmParts{*rooms, board, plans, *pulse, clock, vitals, verify_oldest_ms, directory.path(), sys::server_zone(), alarms_to(feed)});
    std::unique_ptr<Beacon> beacon = start_beacon(config.alert, *alarms, *pulse, board, vitals);

    ASSAY_TRY(sys::Fd admin_socket, sys::listen_unix(directory.inside("admin.sock"), 0600));
    admin_server.listen(std::move(admin_socket));
    if (!config.ops_listen.empty()) {
        ASSAY_TRY(const http::Server::Address ops, http::parse_address(config.ops_listen));
        auto bound = ops_server.listen_tcp(ops.host, ops.port);
        if (!bound) return bound.take_error().in("ops_listen");
        log::info("ops.listening", {{"address", bound->host}, {"port", std::int64_t{bound->port}}});
    }
    public_server.listen(std::move(public_socket));

    std::optional<RunnerKeeper> runner;
    if (privileged.helper) {
        runner.emplace(*privileged.helper, runner_server, dispatcher, board, slots);
        runner->tend(clock.now());
    }
    std::optional<Telling> telling;
    if (feed != nullptr) {
        telling.emplace(*feed, Levels{*rooms->store, board, verify_line, clock, feed});
        feed->event(recorder::EventKind::server_started);
    }
    std::optional<Watchdog> watchdog{std::in_place, manager, *pulse, http::Server::Address{wanted.host, port}};
    (void)manager.tell(fmt::format("READY=1\nSTATUS=listening on {}", listening_url));
    say_listening(listening_url);
    log::info("server.started", {{"url", server_url}, {"data", directory.path()}, {"slots", slots},
                                {"descriptors", static_cast<std::int64_t>(descriptors)}, {"connections_max", static_cast<std::int64_t>(guests_max)}});

    bool helper_lost = false;
    while (!(helper_lost && manager.present())) {  // A service manager starts it anew within seconds, helper and all.
        const sys::TimePoint now = clock.now();
        if (runner) runner->tend(now);
        recorder.tend(now);
        const int helper_fd = privileged.helper ? privileged.helper->control.get() : -1;
        const int watched[] = {signals.get(), runner ? runner->watched() : -1, helper_fd, recorder.watched(), admission.watched()};
        const sys::TimePoint idle = now + idle_wait;
        const sys::TimePoint wake = std::min(runner ? runner->next_start().value_or(idle) : idle, recorder.next_start().value_or(idle));
        ASSAY_TRY(const std::vector<bool> ready, sys::wait_any(watched, wake));
        if (ready[0]) {
            (void)sys::next_signal(signals);
            break;
        }
        if (ready[4]) end_job(admission, dispatcher, privileged);
        if (ready[1]) {
            runner->ended(clock.now());
            if (feed != nullptr) feed->event(recorder::EventKind::runner_lost);
        }
        if (ready[3]) recorder.ended(clock.now());
        if (ready[2]) {  // The helper speaks only when asked: it is gone, and only root could start another.
            board.set_no_runner({.kind = model::WaitDetailKind::helper_ended});
            log::error("helper.lost", {{"remedy", why_no_runner()}});
            runner.reset();
            dispatcher.runner_lost(model::WaitDetailKind::helper_ended);
            if (feed != nullptr) feed->event(recorder::EventKind::runner_lost);
            privileged.helper.reset();
            helper_lost = true;
        }
    }

    log::info("server.stopping");
    (void)manager.tell("STOPPING=1");
    watchdog.reset();
    if (feed != nullptr) feed->event(recorder::EventKind::server_stopping);
    end_at_second_signal(signals);
    const sys::TimePoint deadline = clock.now() + drain_max;
    board.set_draining();
    dispatcher.drain(deadline);
    runner_server.stop(deadline);
    public_server.stop(deadline);
    admin_server.stop(deadline);
    ops_server.stop(deadline);
    beacon.reset();
    alarms.reset();
    pulse.reset();
    verify_line.stop();
    verifiers.stop();
    if (privileged.helper) sandbox::stop_helper(std::move(*privileged.helper), deadline);
    telling.reset();
    loops.stop();
    log::info("server.stopped");
    if (helper_lost && manager.present()) return Error{Fault::system, "the sandbox helper has ended; the service manager is left to start the server again"};
    return ok;
}

}  // namespace assay::serve
