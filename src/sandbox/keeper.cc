// The life of one command (Run): groups → scratch → init and its world → fills → launcher → go → watch → kill everything →
// counters → seal or drop → remove groups. Whatever was begun is undone by destructors, in reverse.
#include "sandbox/keeper.hh"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.hh"
#include "sandbox/process.hh"
#include "sandbox/protocol.hh"
#include "sandbox/sandbox.hh"
#include "sandbox/watch.hh"
#include "sys/error.hh"
#include "sys/file.hh"
#include "sys/process.hh"

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr auto setup_time_max = 10s;    // each step of the way in
constexpr auto fill_time_max = 60s;
constexpr auto death_time_max = 20s;    // from SIGKILL to reaped: freeing much memory takes a while
constexpr std::int64_t file_bytes_slack = 1 << 20;  // RLIMIT_FSIZE above `disk`: a full disk is ENOSPC, not SIGXFSZ
constexpr std::size_t complaint_bytes_max = 400;

sys::TimePoint in(sys::Duration time) { return sys::system_clock().now() + time; }

// Directories a keeper mounted; dropped unless they are kept.
struct Mount {
    explicit Mount(std::string p) : path{std::move(p)} {}
    ~Mount() {
        if (!path.empty()) detach(path);
    }
    Mount(const Mount&) = delete;
    Mount& operator=(const Mount&) = delete;
    std::string path;
};

struct State {
    std::string stage;
    std::string mount;  // its scratch; the layer is `work` below
};

// A child of ours inside a sandbox.
struct Inmate {
    Spawned process;
    sys::Fd talk;
};

class Keeper {
public:
    Keeper(const Workshop& shop, const JobOrder& order, sys::Fd socket, sys::Fd life)
        : shop_{shop}, order_{order}, socket_{std::move(socket)}, life_{std::move(life)} {}

    Result<> open();
    int serve();
    bool greet(const Result<>& opened);

private:
    struct Run;

    std::uint32_t uid() const { return shop_.config.first_uid + static_cast<std::uint32_t>(order_.slot); }
    std::uint32_t init_uid() const { return shop_.config.first_uid + slots_max; }
    std::vector<std::string> layers_upto(std::size_t count) const;
    Result<> run(const ToKeeper&, std::vector<sys::Fd>, FromKeeper& answer, sys::Fd& report);
    Result<> close();

    const Workshop& shop_;
    const JobOrder order_;
    sys::Fd socket_;
    sys::Fd life_;
    sys::Fd own_mounts_;
    std::string bench_;
    Group group_;
    std::vector<State> states_;  // oldest first
    int runs_ = 0;
    bool abandoned_ = false;
};

// One command. Its destructor leaves nothing behind, whatever happened.
struct Keeper::Run {
    Run(Keeper& k, const ToKeeper& o, std::vector<sys::Fd> f) : keeper{k}, order{o}, descriptors{std::move(f)} {}
    ~Run() { (void)end_all(); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    Result<> prepare(FromKeeper& answer);
    Result<> start_init();
    Result<bool> fill(int archive, std::string_view prefix, const std::string& directory, FromKeeper& answer);
    Result<> launch(FromKeeper& answer);
    Result<> enter_inmate(Inmate&);
    Result<std::optional<sys::Exit>> end_all();
    void count(FromKeeper& answer);
    Result<> settle(sys::Fd& report);

    EntryPlan entry(int talk) const;
    int take_descriptor() { return descriptors[next_descriptor++].get(); }

    Keeper& keeper;
    const ToKeeper& order;
    std::vector<sys::Fd> descriptors;
    std::size_t next_descriptor = 0;
    int command = -1, stdin_fd = -1, submission = -1, grader = -1;

    // Destroyed in reverse: mounts before bench, groups last.
    std::optional<Mount> scratch, submission_mount, grader_mount;
    std::vector<sys::Fd> bind_trees;
    Group group;
    bool has_group = false;
    sys::Fd oom;
    std::int64_t job_oom_kills = 0;
    CpuUsage cpu_base;
    World world;
    Inmate init;
    Inmate main;
    std::optional<sys::Exit> main_exit;
    sys::TimePoint started{};
    sys::TimePoint ended{};
};

std::vector<std::string> Keeper::layers_upto(std::size_t count) const {
    std::vector<std::string> layers;
    for (std::size_t i = count; i > 0; --i) layers.push_back(states_[i - 1].mount + "/work");
    return layers;
}

Result<> Keeper::open() {
    if (::unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) return sys::last_error("unshare", "job");
    own_mounts_ = sys::Fd{::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)};
    if (!own_mounts_) return sys::last_error("open", "own mount namespace");
    ASSAY_TRY(bench_, make_bench());
    const std::string path = shop_.group + "/job" + std::to_string(order_.slot);
    ASSAY_TRY(group_, Group::make(shop_.hierarchies, path, true));
    return ok;
}

Result<> Keeper::Run::prepare(FromKeeper& answer) {
    command = take_descriptor();
    if (order.has_stdin != 0) stdin_fd = take_descriptor();
    if (order.has_submission != 0) submission = take_descriptor();
    if (order.has_grader != 0) grader = take_descriptor();

    const model::Limits& asked = order.limits;
    model::Limits& got = answer.limits;
    model::Guarantees& sure = answer.guarantees;
    using model::Guarantee;
    got = asked;
    sure = {.cpu = Guarantee::exact, .wall = Guarantee::exact, .memory = Guarantee::exact, .processes = Guarantee::exact,
            .output = Guarantee::exact, .disk = Guarantee::exact};

    // What earlier stages left sealed is charged to the job's group and must not crowd out this stage.
    const std::int64_t job_max = std::max(keeper.order_.memory_max_bytes, asked.memory_bytes) + keeper.group_.memory_usage_bytes();
    ASSAY_CHECK(keeper.group_.limit_memory(job_max, false));
    ASSAY_TRY(group, keeper.group_.make_child("run-" + std::string{order.stage.view()}));
    has_group = true;
    ASSAY_TRY(const std::optional<std::int64_t> memory, group.limit_memory(asked.memory_bytes, true));
    ASSAY_TRY(const std::optional<std::int64_t> processes, group.limit_processes(asked.processes));
    got.memory_bytes = memory.value_or(asked.memory_bytes);
    got.processes = processes.value_or(asked.processes);
    if (!memory) sure.memory = Guarantee::approximate;
    if (!processes) sure.processes = Guarantee::approximate;
    if (!group.has(Controller::cpuacct)) sure.cpu = Guarantee::approximate;
    ASSAY_TRY(oom, group.oom_events());
    job_oom_kills = keeper.group_.oom_kills();

    const std::string place = keeper.bench_ + "/r" + std::to_string(keeper.runs_++);
    scratch.emplace(place);
    ASSAY_CHECK(make_scratch(place, asked.disk_bytes, keeper.uid()));
    ASSAY_TRY(const Room room, room_of(place));
    got.disk_bytes = room.bytes;

    world.trusted = order.trusted != 0;
    world.network = order.host_network != 0;
    world.scratch = place;
    if (world.trusted) {
        for (const auto& [archive, mount, path, name] : {std::tuple{submission, &submission_mount, &world.submission, "-submission"},
                                                         {grader, &grader_mount, &world.grader, "-grader"}}) {
            if (archive < 0) continue;
            *path = place + name;
            mount->emplace(*path);
            ASSAY_CHECK(mount_tmpfs(*path, asked.memory_bytes, model::inodes_of(asked.memory_bytes)));
            ASSAY_CHECK(sys::change_owner(*path, keeper.uid(), keeper.uid()));
        }
        for (std::size_t i = 0; i < keeper.states_.size(); ++i) {
            world.stages.push_back({keeper.states_[i].stage, keeper.layers_upto(i + 1)});
        }
    } else {
        world.layers = keeper.layers_upto(keeper.states_.size());
    }
    for (std::size_t i = 0; i < order.binds_count; ++i) {
        const bool writable = order.binds[i].writable != 0;
        ASSAY_TRY(sys::Fd tree, clone_directory(take_descriptor(), writable, keeper.shop_.host_mounts, keeper.own_mounts_));
        world.binds.push_back({tree.get(), std::string{order.binds[i].inside.view()}});
        bind_trees.push_back(std::move(tree));
        if (writable) sure.disk = Guarantee::none;  // What is written there is nobody's to count.
    }
    return ok;
}

Result<> Keeper::Run::start_init() {
    ASSAY_TRY(auto talk, sys::socket_pair(sys::PairKind::seqpacket));
    ASSAY_TRY(init.process, clone_process(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS));
    if (init.process.pid == 0) {
        talk.first.reset();  // Or we would never notice that the keeper is gone.
        run_init({.world = &world, .bench = keeper.bench_, .uid = keeper.init_uid(), .talk = talk.second.get()});
    }
    talk.second.reset();
    init.talk = std::move(talk.first);
    ASSAY_CHECK(hear(init.talk, say::ready, in(setup_time_max)));
    tell(init.talk.get(), say::go);
    return ok;
}

EntryPlan Keeper::Run::entry(int talk) const {
    const model::Limits& limits = order.limits;
    EntryPlan plan{.talk = talk, .init_pidfd = init.process.pidfd.get(), .rlimits = {}, .filter = nullptr};
    if (order.host_network != 0) plan.host_network = keeper.shop_.host_network.get();
    plan.rlimits = {.open_files = limits.open_files, .file_bytes = limits.disk_bytes + file_bytes_slack, .stack_bytes = limits.memory_bytes};
    // Without a group these come near, each process for itself.
    if (!group.has(Controller::memory)) plan.rlimits.address_space_bytes = limits.memory_bytes;
    if (!group.has(Controller::pids)) plan.rlimits.processes = limits.processes;
    if (!group.has(Controller::cpuacct)) plan.rlimits.cpu_seconds = limits.cpu_ms / 1000 + 1;
    return plan;
}

// Makes a process in the sandbox's pid namespace; the caller goes on as its first word with it.
Result<> Keeper::Run::enter_inmate(Inmate& inmate) {
    const std::string pid = std::to_string(inmate.process.pid);
    ASSAY_CHECK(group.enter(inmate.process.pid));
    tell(inmate.talk.get(), say::attached);
    ASSAY_CHECK(hear(inmate.talk, say::unshared, in(setup_time_max)));
    const std::string map = std::to_string(inside_id) + " " + std::to_string(keeper.uid()) + " 1\n";
    for (const auto& [file, text] : {std::pair{"setgroups", std::string{"deny"}}, {"gid_map", map}, {"uid_map", map}, {"oom_score_adj", std::string{"1000"}}}) {
        const std::string path = "/proc/" + pid + "/" + file;
        const sys::Fd control{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
        if (!control) return sys::last_error("open", path);
        ASSAY_CHECK(sys::write_all(control, text));
    }
    tell(inmate.talk.get(), say::mapped);
    return hear(inmate.talk, say::ready, in(setup_time_max));
}

// Forks into the pid namespace of `init`, which stays ours for ourselves. In the child the result's pid is 0.
Result<Inmate> fork_into(const sys::Fd& init_pidfd, sys::Fd& child_talk) {
    const sys::Fd own{::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC)};
    if (!own) return sys::last_error("open", "own pid namespace");
    ASSAY_TRY(auto talk, sys::socket_pair(sys::PairKind::seqpacket));
    if (::setns(init_pidfd.get(), CLONE_NEWPID) != 0) return sys::last_error("setns", "pid namespace of the sandbox");
    Result<Spawned> spawned = clone_process();
    if (spawned && spawned->pid == 0) {
        child_talk = std::move(talk.second);
        return Inmate{};
    }
    if (::setns(own.get(), CLONE_NEWPID) != 0) return sys::last_error("setns", "own pid namespace");
    if (!spawned) return spawned.take_error();
    return Inmate{std::move(spawned).value(), std::move(talk.first)};
}

// false: the tree did not fit, or unpacking was cut; `answer` says how.
Result<bool> Keeper::Run::fill(int archive, std::string_view prefix, const std::string& directory, FromKeeper& answer) {
    ASSAY_TRY(auto complaint, sys::make_pipe());
    sys::Fd child_talk;
    ASSAY_TRY(Inmate inmate, fork_into(init.process.pidfd, child_talk));
    if (inmate.process.pid == 0) {
        EntryPlan plan = entry(child_talk.get());
        plan.filter = &keeper.shop_.filter(FilterKind::fill);
        plan.stderr_fd = complaint.second.get();
        run_fill(plan, keeper.shop_.config.fill, archive, std::string{prefix}, directory);
    }
    complaint.second.reset();
    main = std::move(inmate);
    if (Result<> entered = enter_inmate(main); !entered) {
        if (group.oom_kills() == 0) return entered.take_error().in("fill " + directory);
        answer.oom_killed = 1;
        return false;
    }
    const sys::TimePoint begin = sys::system_clock().now();
    tell(main.talk.get(), say::go);
    const TimeLimits limits{.cpu_ns = sys::Duration{fill_time_max}.count(), .wall_ns = sys::Duration{fill_time_max}.count(), .cores = 1};
    const End end = watch({main.process.pidfd, init.process.pidfd, keeper.socket_, keeper.life_, oom}, limits, group, begin, group.cpu_usage().total_ns);
    if (end == End::abandoned || end == End::cancelled) {
        keeper.abandoned_ = end == End::abandoned;
        return Error{Fault::interrupted, "the run was cancelled while its files were unpacked"};
    }
    kill_process(main.process.pidfd);
    const std::optional<sys::Exit> exit = reap(main.process.pidfd, in(death_time_max));
    main = {};
    if (exit && !exit->signalled && exit->code == 0 && group.oom_kills() == 0) return true;

    std::string text(complaint_bytes_max, '\0');
    const ssize_t n = ::read(complaint.first.get(), text.data(), text.size());  // All writers are dead.
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    ASSAY_TRY(const Room scratch_room, room_of(scratch->path));
    bool full = scratch_room.full;
    for (const std::string* const path : {&world.submission, &world.grader}) {
        if (path->empty()) continue;
        ASSAY_TRY(const Room room, room_of(*path));
        full = full || room.full;
    }
    answer.oom_killed = group.oom_kills() > 0;
    answer.disk_full = full;
    if (answer.oom_killed != 0 || full) return false;
    const char* const how = end == End::itself ? "unpacking failed: " : "unpacking took too long: ";
    return Error{Fault::system, how + text};
}

Result<> Keeper::Run::launch(FromKeeper& answer) {
    ASSAY_TRY(auto out, sys::make_pipe());
    ASSAY_TRY(auto err, sys::make_pipe());
    for (const sys::Fd* const end : {&out.second, &err.second}) {
        // Its own, so that it may open /dev/stdout anew.
        if (::fchown(end->get(), keeper.uid(), keeper.uid()) != 0) return sys::last_error("fchown", "pipe");
    }
    sys::Fd child_talk;
    ASSAY_TRY(Inmate inmate, fork_into(init.process.pidfd, child_talk));
    if (inmate.process.pid == 0) {
        EntryPlan plan = entry(child_talk.get());
        plan.filter = &keeper.shop_.filter(order.compiled != 0 ? FilterKind::compiled : FilterKind::language);
        plan.stdin_fd = stdin_fd;
        plan.stdout_fd = out.second.get();
        plan.stderr_fd = err.second.get();
        run_launcher(plan, command);
    }
    main = std::move(inmate);
    out.second.reset();
    err.second.reset();
    FromKeeper begun{};
    begun.kind = FromKeeper::Kind::started;
    const int ends[] = {out.first.get(), err.first.get()};
    ASSAY_CHECK(send(keeper.socket_, begun, ends));
    started = ended = sys::system_clock().now();
    if (Result<> entered = enter_inmate(main); !entered) {
        if (group.oom_kills() == 0) return entered.take_error().in("launch");
        answer.started = answer.oom_killed = 1;  // The limit does not even hold our launcher.
        return ok;
    }
    rlimit files{};
    if (::prlimit(main.process.pid, RLIMIT_NOFILE, nullptr, &files) == 0) answer.limits.open_files = static_cast<std::int64_t>(files.rlim_cur);

    const model::Limits& limits = order.limits;
    const int cores = static_cast<int>(std::min<std::int64_t>(sys::online_cpus(), limits.processes));
    const TimeLimits time{.cpu_ns = limits.cpu_ms * 1'000'000, .wall_ns = limits.wall_ms * 1'000'000, .cores = cores};
    cpu_base = group.cpu_usage();
    started = sys::system_clock().now();
    tell(main.talk.get(), say::go);
    answer.started = 1;
    const End end = watch({main.process.pidfd, init.process.pidfd, keeper.socket_, keeper.life_, oom}, time, group, started, cpu_base.total_ns);
    ended = sys::system_clock().now();
    switch (end) {
        case End::cpu: answer.cpu_exceeded = 1; break;
        case End::wall: answer.wall_exceeded = 1; break;
        case End::oom: answer.oom_killed = 1; break;
        case End::abandoned: keeper.abandoned_ = true; break;
        case End::init_died: return Error{Fault::system, "the sandbox's init ended before its command"};
        case End::itself: case End::output: case End::cancelled: break;
    }
    return ok;
}

// Kills every process of the sandbox and waits for it. Returns how the command ended, if there was one.
Result<std::optional<sys::Exit>> Keeper::Run::end_all() {
    if (has_group) group.kill();
    for (const Inmate* const inmate : {&init, &main}) {
        if (inmate->process.pidfd) kill_process(inmate->process.pidfd);
    }
    // The command first: init cannot end before everything in its namespace was reaped.
    if (main.process.pidfd) {
        main_exit = reap(main.process.pidfd, in(death_time_max));
        if (!main_exit) return Error{Fault::timed_out, "process " + std::to_string(main.process.pid) + " does not die"};
        main = {};
    }
    if (init.process.pidfd) {
        if (!reap(init.process.pidfd, in(death_time_max))) return Error{Fault::timed_out, "the sandbox's init does not die"};
        init = {};
    }
    return main_exit;
}

void Keeper::Run::count(FromKeeper& answer) {
    const model::Limits& limits = order.limits;
    const CpuUsage cpu = group.cpu_usage();
    const auto cpu_ns = static_cast<double>(cpu.total_ns - cpu_base.total_ns);
    const auto system_ticks = static_cast<double>(cpu.system_ns - cpu_base.system_ns);
    const double ticks = system_ticks + static_cast<double>(cpu.user_ns - cpu_base.user_ns);
    answer.cpu_system_ms = ticks > 0 ? cpu_ns / 1e6 * system_ticks / ticks : 0;  // Shorter than a tick: all is called user.
    answer.cpu_user_ms = cpu_ns / 1e6 - answer.cpu_system_ms;
    answer.wall_ms = sys::ms_of(ended - started);
    answer.memory_peak_bytes = group.memory_peak_bytes();
    answer.processes_peak = group.processes_peak();
    // What the final counters say stands, even when the program was gone before we looked.
    if (cpu.total_ns - cpu_base.total_ns > limits.cpu_ms * 1'000'000) answer.cpu_exceeded = 1;
    if (ended - started > std::chrono::milliseconds{limits.wall_ms}) answer.wall_exceeded = 1;
    if (group.oom_kills() > 0 || keeper.group_.oom_kills() > job_oom_kills) answer.oom_killed = 1;
    if (group.processes_hit()) answer.processes_hit = 1;
    if (main_exit) {
        answer.signalled = main_exit->signalled;
        answer.code = main_exit->code;
    }
}

// Nothing runs any more: what is kept is kept, the rest is dropped.
Result<> Keeper::Run::settle(sys::Fd& report) {
    if (!order.report.view().empty()) report = open_report(scratch->path + "/work", std::string{order.report.view()});
    if (order.seal == 0) return ok;
    if (keeper.states_.size() >= states_max) return Error{Fault::too_large, "a job has at most 16 sealed states"};
    ASSAY_CHECK(make_read_only(scratch->path));
    keeper.states_.push_back({std::string{order.stage.view()}, scratch->path});
    scratch->path.clear();
    return ok;
}

Result<> Keeper::run(const ToKeeper& order, std::vector<sys::Fd> descriptors, FromKeeper& answer, sys::Fd& report) {
    Run run{*this, order, std::move(descriptors)};
    const bool into_work = order.trusted == 0 && order.has_submission != 0;
    if (into_work && !states_.empty()) return Error{Fault::invalid, "only the first stage unpacks the submission"};
    if ((order.has_submission != 0 || order.has_grader != 0) && shop_.config.fill == nullptr) return Error{Fault::unsupported, "this helper cannot unpack"};

    const auto steps = [&]() -> Result<> {
        ASSAY_CHECK(run.prepare(answer));
        ASSAY_CHECK(run.start_init());
        bool filled = true;
        if (run.submission >= 0) {
            ASSAY_TRY(filled, run.fill(run.submission, order.submission_prefix.view(), into_work ? "/work" : "/submission", answer));
        }
        if (filled && run.grader >= 0) {
            ASSAY_TRY(filled, run.fill(run.grader, order.grader_prefix.view(), "/grader", answer));
        }
        if (!filled) {
            answer.fill_failed = 1;
            answer.memory_peak_bytes = run.group.memory_peak_bytes();
            return ok;
        }
        for (const std::string* const path : {&run.world.submission, &run.world.grader}) {
            if (!path->empty()) ASSAY_CHECK(make_read_only(*path));
        }
        return run.launch(answer);
    };
    Result<> done = steps();
    if (Result<std::optional<sys::Exit>> ended = run.end_all(); !ended) done = ended.take_error();
    if (done && answer.started != 0) {
        run.count(answer);
        if (Result<Room> room = room_of(run.scratch->path); room) answer.disk_full = room->full;
        done = run.settle(report);
    }
    if (run.has_group) {
        if (Result<> removed = run.group.remove(in(death_time_max)); !removed && done) done = std::move(removed);
    }
    return done;
}

bool Keeper::greet(const Result<>& opened) {
    FromKeeper answer{};
    answer.kind = FromKeeper::Kind::opened;
    if (!opened) {
        answer.failed = 1;
        answer.fault.set_cut(opened.error().text());
    }
    return send(socket_, answer).has_value();
}

int Keeper::serve() {
    for (;;) {
        pollfd fds[] = {{socket_.get(), POLLIN, 0}, {life_.get(), POLLIN, 0}};
        if (::poll(fds, 2, -1) < 0) continue;  // Only EINTR is possible.
        if (fds[1].revents != 0) break;
        Result<Received<ToKeeper>> asked = receive<ToKeeper>(socket_);
        if (!asked || asked->message.kind == ToKeeper::Kind::close) break;
        if (asked->message.kind != ToKeeper::Kind::run) continue;  // Asks for the end of what has just ended.

        FromKeeper answer{};
        sys::Fd report;
        Result<> done = check(asked->message, asked->descriptors.size(), shop_.config.allow_binds);
        if (done) done = run(asked->message, std::move(asked->descriptors), answer, report);
        if (abandoned_) break;
        answer.kind = FromKeeper::Kind::finished;
        if (!done) {
            answer.failed = 1;
            answer.fault.set_cut(done.error().text());
        }
        const int passed[] = {report.get()};
        if (!send(socket_, answer, std::span{passed, report ? 1U : 0U})) break;
    }
    if (const Result<> closed = close(); !closed) {
        log::error("sandbox.leftover", {{"slot", order_.slot}, {"error", closed.error().text()}});
        return 1;
    }
    return 0;
}

Result<> Keeper::close() {
    for (const State& state : states_) detach(state.mount);
    states_.clear();
    return group_.remove(in(death_time_max));
}

}  // namespace

int keep_job(const Workshop& shop, const JobOrder& order, sys::Fd socket, sys::Fd life) {
    Keeper keeper{shop, order, std::move(socket), std::move(life)};
    const Result<> opened = keeper.open();
    const bool greeted = keeper.greet(opened);
    return opened && greeted ? keeper.serve() : 1;  // The helper removes what a failed keeper leaves.
}

}  // namespace assay::sandbox
