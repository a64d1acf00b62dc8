#include "sandbox/run.hh"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

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

}  // namespace

std::uint32_t JobState::uid() const { return shop.config.first_uid + static_cast<std::uint32_t>(order.slot); }
std::uint32_t JobState::init_uid() const { return shop.config.first_uid + slots_max; }

std::vector<std::string> JobState::layers_upto(std::size_t count) const {
    std::vector<std::string> layers;
    for (std::size_t i = count; i > 0; --i) layers.push_back(states[i - 1].mount + "/work");
    return layers;
}

Result<> Run::prepare(FromKeeper& answer) {
    command_ = take_descriptor();
    if (order_.has_stdin != 0) stdin_ = take_descriptor();
    if (order_.has_submission != 0) submission_ = take_descriptor();
    if (order_.has_grader != 0) grader_ = take_descriptor();

    const model::Limits& asked = order_.limits;
    model::Limits& got = answer.limits;
    model::Guarantees& sure = answer.guarantees;
    using model::Guarantee;
    got = asked;
    sure = {.cpu = Guarantee::exact, .wall = Guarantee::exact, .memory = Guarantee::exact, .processes = Guarantee::exact,
            .output = Guarantee::exact, .disk = Guarantee::exact};

    // What earlier stages left sealed is charged to the job's group and must not crowd out this stage.
    // Guests together may use as much again as the stage that they belong to.
    if (job_.guest == 0) {
        const std::int64_t guests = order_.guests != 0 ? asked.memory_bytes : 0;
        const std::int64_t job_max = std::max(job_.order.memory_max_bytes, asked.memory_bytes) + guests + job_.group.memory_usage_bytes();
        ASSAY_CHECK(job_.group.limit_memory(job_max, false));
    }
    ASSAY_TRY(group_, job_.group.make_child(job_.guest == 0 ? "run-" + std::string{order_.stage.view()} : guest_group(job_.guest)));
    ASSAY_TRY(const std::optional<std::int64_t> memory, group_->limit_memory(asked.memory_bytes, true));
    ASSAY_TRY(const std::optional<std::int64_t> processes, group_->limit_processes(asked.processes));
    got.memory_bytes = memory.value_or(asked.memory_bytes);
    got.processes = processes.value_or(asked.processes);
    if (!memory) sure.memory = Guarantee::approximate;
    if (!processes) sure.processes = Guarantee::approximate;
    if (!group_->has(Controller::cpuacct)) sure.cpu = Guarantee::approximate;
    ASSAY_TRY(oom_, group_->oom_events());
    job_oom_kills_ = job_.group.oom_kills();

    const std::string whose = job_.guest == 0 ? "/r" : "/g" + std::to_string(job_.guest) + "r";
    const std::string place = job_.bench + whose + std::to_string(job_.runs++);
    scratch_.emplace(place);
    ASSAY_CHECK(make_scratch(place, asked.disk_bytes, job_.uid()));
    ASSAY_TRY(const Room room, room_of(place));
    got.disk_bytes = room.bytes;

    world_.trusted = order_.trusted != 0;
    world_.network = order_.host_network != 0;
    world_.scratch = place;
    world_.image = job_.image;
    if (world_.trusted) {
        for (const auto& [archive, mount, path, name] : {std::tuple{submission_, &submission_mount_, &world_.submission, "-submission"},
                                                         {grader_, &grader_mount_, &world_.grader, "-grader"}}) {
            if (archive < 0) continue;
            *path = place + name;
            mount->emplace(*path);
            ASSAY_CHECK(mount_tmpfs(*path, asked.memory_bytes, model::inodes_of(asked.memory_bytes)));
            ASSAY_CHECK(sys::change_owner(*path, job_.uid(), job_.uid()));
        }
        for (std::size_t i = 0; i < job_.states.size(); ++i) {
            world_.stages.push_back({job_.states[i].stage, job_.layers_upto(i + 1)});
        }
        if (order_.guests != 0) {
            world_.assay = place + "/assay";
            ASSAY_TRY(assay_socket_, make_assay(world_.assay, job_.uid()));
        }
    } else {
        world_.layers = job_.layers_upto(job_.states.size());
    }
    for (std::size_t i = 0; i < order_.binds_count; ++i) {
        const bool writable = order_.binds[i].writable != 0;
        ASSAY_TRY(sys::Fd tree, clone_path(take_descriptor(), writable, job_.shop.host_mounts, job_.own_mounts));
        world_.binds.push_back({tree.get(), std::string{order_.binds[i].inside.view()}});
        bind_trees_.push_back(std::move(tree));
        if (writable) sure.disk = Guarantee::none;  // What is written there is nobody's to count.
    }
    return ok;
}

Result<> Run::start_init() {
    ASSAY_TRY(auto talk, sys::socket_pair(sys::PairKind::seqpacket));
    ASSAY_TRY(init_.process, clone_process(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS));
    if (init_.process.pid == 0) {
        talk.first.reset();  // Or we would never notice that the keeper is gone.
        run_init({.world = &world_, .bench = job_.bench, .uid = job_.init_uid(), .talk = talk.second.get()});
    }
    talk.second.reset();
    init_.talk = std::move(talk.first);
    ASSAY_CHECK(hear(init_.talk, say::ready, in(setup_time_max)));
    tell(init_.talk.get(), say::go);
    return ok;
}

EntryPlan Run::entry(int talk) const {
    const model::Limits& limits = order_.limits;
    EntryPlan plan{.talk = talk, .init_pidfd = init_.process.pidfd.get(), .rlimits = {}, .filter = nullptr};
    if (order_.host_network != 0) plan.host_network = job_.shop.host_network.get();
    plan.rlimits = {.open_files = limits.open_files, .file_bytes = limits.disk_bytes + file_bytes_slack, .stack_bytes = limits.memory_bytes};
    // Without a group these come near, each process for itself.
    if (!group_->has(Controller::memory)) plan.rlimits.address_space_bytes = limits.memory_bytes;
    if (!group_->has(Controller::pids)) plan.rlimits.processes = limits.processes;
    if (!group_->has(Controller::cpuacct)) plan.rlimits.cpu_seconds = limits.cpu_ms / 1000 + 1;
    return plan;
}

// Makes a process in the sandbox's pid namespace; the caller goes on as its first word with it.
Result<> Run::enter_inmate(Inmate& inmate) {
    const std::string pid = std::to_string(inmate.process.pid);
    ASSAY_CHECK(group_->enter(inmate.process.pid));
    tell(inmate.talk.get(), say::attached);
    ASSAY_CHECK(hear(inmate.talk, say::unshared, in(setup_time_max)));
    const std::string map = std::to_string(inside_id) + " " + std::to_string(job_.uid()) + " 1\n";
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
static Result<Inmate> fork_into(const sys::Fd& init_pidfd, sys::Fd& child_talk) {
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
Result<bool> Run::fill(int archive, std::string_view prefix, const std::string& directory, FromKeeper& answer) {
    ASSAY_TRY(auto complaint, sys::make_pipe());
    sys::Fd child_talk;
    ASSAY_TRY(Inmate inmate, fork_into(init_.process.pidfd, child_talk));
    if (inmate.process.pid == 0) {
        EntryPlan plan = entry(child_talk.get());
        plan.filter = &job_.shop.filter(FilterKind::fill);
        plan.stderr_fd = complaint.second.get();
        // A tree shown to a trusted stage has a tmpfs of `memory`, not of `disk`.
        plan.rlimits.file_bytes = std::max(order_.limits.memory_bytes, order_.limits.disk_bytes) + file_bytes_slack;
        run_fill(plan, job_.shop.config.fill, archive, std::string{prefix}, directory);
    }
    complaint.second.reset();
    main_ = std::move(inmate);
    if (Result<> entered = enter_inmate(main_); !entered) {
        if (group_->oom_kills() == 0) return entered.take_error().in("fill " + directory);
        answer.oom_killed = 1;
        return false;
    }
    const sys::TimePoint begin = sys::system_clock().now();
    tell(main_.talk.get(), say::go);
    const TimeLimits limits{.cpu_ns = sys::Duration{fill_time_max}.count(), .wall_ns = sys::Duration{fill_time_max}.count(), .cores = 1};
    const End end = watch({main_.process.pidfd, init_.process.pidfd, job_.socket, job_.life, oom_}, limits, *group_, begin, group_->cpu_usage().total_ns);
    if (end == End::abandoned || end == End::cancelled) {
        job_.abandoned = end == End::abandoned;
        return Error{Fault::interrupted, "the run was cancelled while its files were unpacked"};
    }
    kill_process(main_.process.pidfd);
    const std::optional<Ending> exit = reap(main_.process.pidfd, in(death_time_max));
    main_ = {};
    // The event comes before the kernel has chosen and counted a victim; ours may have been quicker.
    const bool out_of_memory = end == End::oom || group_->oom_kills() > 0;
    if (exit && !exit->signalled && exit->code == 0 && !out_of_memory) return true;

    std::string text(complaint_bytes_max, '\0');
    const ssize_t n = ::read(complaint.first.get(), text.data(), text.size());  // All writers are dead.
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    ASSAY_TRY(const Room scratch_room, room_of(scratch_->path));
    bool full = scratch_room.full;
    for (const std::string* const path : {&world_.submission, &world_.grader}) {
        if (path->empty()) continue;
        ASSAY_TRY(const Room room, room_of(*path));
        full = full || room.full;
    }
    answer.oom_killed = out_of_memory;
    answer.disk_full = full;
    if (out_of_memory || full) return false;
    const char* const how = end == End::itself ? "unpacking failed: " : "unpacking took too long: ";
    return Error{Fault::system, how + text};
}

// Hands the ends of the command's pipes to the client.
Result<> Run::tell_started(const sys::Fd& out, const sys::Fd& err, const sys::Fd& input) {
    FromKeeper begun{};
    begun.kind = FromKeeper::Kind::started;
    begun.uid = job_.uid();
    begun.limits = order_.limits;
    std::vector<int> ends{out.get(), err.get()};
    for (const int more : {input.get(), assay_socket_.get()}) {
        if (more >= 0) ends.push_back(more);
    }
    ASSAY_CHECK(send(job_.socket, begun, ends));
    assay_socket_.reset();
    return ok;
}

Result<> Run::launch(FromKeeper& answer) {
    ASSAY_TRY(auto out, sys::make_pipe());
    ASSAY_TRY(auto err, sys::make_pipe());
    std::pair<sys::Fd, sys::Fd> in;
    if (order_.stdin_pipe != 0) {
        ASSAY_TRY(in, sys::make_pipe());
    }
    for (const sys::Fd* const end : {&out.second, &err.second, &in.first}) {
        // Its own, so that it may open /dev/stdout anew.
        if (*end && ::fchown(end->get(), job_.uid(), job_.uid()) != 0) return sys::last_error("fchown", "pipe");
    }
    sys::Fd child_talk;
    ASSAY_TRY(Inmate inmate, fork_into(init_.process.pidfd, child_talk));
    if (inmate.process.pid == 0) {
        EntryPlan plan = entry(child_talk.get());
        plan.filter = &job_.shop.filter(order_.compiled != 0 ? FilterKind::compiled : FilterKind::language);
        plan.stdin_fd = in.first ? in.first.get() : stdin_;
        plan.stdout_fd = out.second.get();
        plan.stderr_fd = err.second.get();
        run_launcher(plan, command_);
    }
    main_ = std::move(inmate);
    out.second.reset();
    err.second.reset();
    in.first.reset();
    ASSAY_CHECK(tell_started(out.first, err.first, in.second));
    in.second.reset();  // Or its input would never end.
    started_ = ended_ = sys::system_clock().now();
    if (Result<> entered = enter_inmate(main_); !entered) {
        if (group_->oom_kills() == 0) return entered.take_error().in("launch");
        answer.started = answer.oom_killed = 1;  // The limit does not even hold our launcher.
        return ok;
    }
    rlimit files{};
    if (::prlimit(main_.process.pid, RLIMIT_NOFILE, nullptr, &files) == 0) answer.limits.open_files = static_cast<std::int64_t>(files.rlim_cur);

    const model::Limits& limits = order_.limits;
    const int cores = static_cast<int>(std::min<std::int64_t>(sys::online_cpus(), limits.processes));
    const TimeLimits time{.cpu_ns = limits.cpu_ms * 1'000'000, .wall_ns = limits.wall_ms * 1'000'000, .cores = cores};
    cpu_base_ = group_->cpu_usage();
    started_ = sys::system_clock().now();
    tell(main_.talk.get(), say::go);
    answer.started = 1;
    std::function<void(sys::Fd)> open_guest;
    if (order_.guests != 0) open_guest = [this](sys::Fd socket) { guests_.open(std::move(socket)); };
    const End end = watch({main_.process.pidfd, init_.process.pidfd, job_.socket, job_.life, oom_}, time, *group_, started_, cpu_base_.total_ns, open_guest);
    ended_ = sys::system_clock().now();
    switch (end) {
        case End::cpu: answer.cpu_exceeded = 1; break;
        case End::wall: answer.wall_exceeded = 1; break;
        case End::oom: answer.oom_killed = 1; break;
        case End::abandoned: job_.abandoned = true; break;
        case End::init_died: return Error{Fault::system, "the sandbox's init ended before its command"};
        case End::itself: case End::output: case End::cancelled: break;
    }
    return ok;
}

// Kills every process of the sandbox and waits for it.
Result<> Run::end_all() {
    if (group_) group_->kill();
    for (const Inmate* const inmate : {&init_, &main_}) {
        if (inmate->process.pidfd) kill_process(inmate->process.pidfd);
    }
    // The command first: init cannot end before everything in its namespace was reaped.
    if (main_.process.pidfd) {
        main_end_ = reap(main_.process.pidfd, in(death_time_max));
        if (!main_end_) return Error{Fault::timed_out, "process " + std::to_string(main_.process.pid) + " does not die"};
        main_ = {};
    }
    if (init_.process.pidfd) {
        if (!reap(init_.process.pidfd, in(death_time_max))) return Error{Fault::timed_out, "the sandbox's init does not die"};
        init_ = {};
    }
    return ok;
}

void Run::count(FromKeeper& answer) {
    const CpuUsage cpu = group_->cpu_usage();
    std::int64_t cpu_ns = cpu.total_ns - cpu_base_.total_ns;
    answer.memory_peak_bytes = group_->memory_peak_bytes();
    answer.processes_peak = group_->processes_peak();
    // Without groups: of the command and those of its children that it waited for.
    if (!group_->has(Controller::cpuacct)) cpu_ns = main_end_->cpu_ns;
    if (!group_->has(Controller::memory)) answer.memory_peak_bytes = main_end_->memory_peak_bytes;
    const auto system_ticks = static_cast<double>(cpu.system_ns - cpu_base_.system_ns);
    const double ticks = system_ticks + static_cast<double>(cpu.user_ns - cpu_base_.user_ns);
    const double cpu_ms = static_cast<double>(cpu_ns) / 1e6;
    answer.cpu_system_ms = ticks > 0 ? cpu_ms * system_ticks / ticks : 0;  // Shorter than a tick: all is called user.
    answer.cpu_user_ms = cpu_ms - answer.cpu_system_ms;
    answer.wall_ms = sys::ms_of(ended_ - started_);

    // What the final counters say stands, even when the program was gone before we looked.
    if (cpu_ns > order_.limits.cpu_ms * 1'000'000) answer.cpu_exceeded = 1;
    if (ended_ - started_ > std::chrono::milliseconds{order_.limits.wall_ms}) answer.wall_exceeded = 1;
    if (group_->oom_kills() > 0 || job_.group.oom_kills() > job_oom_kills_) answer.oom_killed = 1;
    if (group_->processes_hit()) answer.processes_hit = 1;
    if (Result<Room> room = room_of(scratch_->path); room) answer.disk_full = room->full;
    answer.signalled = main_end_->signalled;
    answer.code = main_end_->code;
}

// Nothing runs any more: what is kept is kept, the rest is dropped.
Result<> Run::settle(FromKeeper& answer, std::vector<sys::Fd>& kept) {
    if (!order_.report.view().empty()) {
        sys::Fd report = open_kept(scratch_->path + "/work", std::string{order_.report.view()}, report_bytes_max);
        if (report) kept.push_back(std::move(report));
    }
    if (order_.files_count > 0) ASSAY_CHECK(keep_files(answer, kept));
    if (order_.seal == 0) return ok;
    if (job_.states.size() >= states_max) return Error{Fault::too_large, "a job has at most 16 sealed states"};
    // A file in flight on a dead program's socket may still count as open for writing. It does no harm: nobody is left to
    // write, and from here on a state is only a lower layer or a read-only view.
    (void)make_read_only(scratch_->path);
    job_.states.push_back({std::string{order_.stage.view()}, scratch_->path});
    scratch_->path.clear();
    return ok;
}

// As the command left them: what it wrote lies above the states it started from.
Result<> Run::keep_files(FromKeeper& answer, std::vector<sys::Fd>& kept) {
    std::vector<std::string> layers = job_.layers_upto(job_.states.size());
    layers.insert(layers.begin(), scratch_->path + "/work");
    const Mount view{scratch_->path + "-view"};
    ASSAY_CHECK(show_layers(layers, view.path));
    for (std::size_t i = 0; i < order_.files_count; ++i) {
        sys::Fd file = open_kept(view.path, std::string{order_.files[i].view()}, file_bytes_max);
        if (!file) continue;
        answer.files_there |= 1U << i;
        kept.push_back(std::move(file));
    }
    return ok;
}

// The way in and the command itself; stops where something does not fit.
Result<> Run::begin(FromKeeper& answer) {
    ASSAY_CHECK(prepare(answer));
    ASSAY_CHECK(start_init());
    bool filled = true;
    if (submission_ >= 0) {
        ASSAY_TRY(filled, fill(submission_, order_.submission_prefix.view(), fills_work() ? "/work" : "/submission", answer));
    }
    if (filled && grader_ >= 0) {
        ASSAY_TRY(filled, fill(grader_, order_.grader_prefix.view(), "/grader", answer));
    }
    if (!filled) {
        answer.fill_failed = 1;
        answer.memory_peak_bytes = group_->memory_peak_bytes();
        return ok;
    }
    for (const std::string* const path : {&world_.submission, &world_.grader}) {
        if (!path->empty()) ASSAY_CHECK(make_read_only(*path));
    }
    return launch(answer);
}

Result<> Run::execute(FromKeeper& answer, std::vector<sys::Fd>& kept) {
    if (fills_work() && !job_.states.empty()) return Error{Fault::invalid, "only the first stage unpacks the submission"};
    if ((order_.has_submission != 0 || order_.has_grader != 0) && job_.shop.config.fill == nullptr) {
        return Error{Fault::unsupported, "this helper cannot unpack"};
    }
    Result<> done = begin(answer);
    if (Result<> dead = end_all(); !dead) done = std::move(dead);  // Nothing may be counted or kept while something lives.
    if (Result<> dead = guests_.end(in(death_time_max)); !dead) done = std::move(dead);
    if (done && answer.started != 0) {
        count(answer);
        done = settle(answer, kept);
    }
    if (group_) {
        if (Result<> removed = group_->remove(in(death_time_max)); !removed && done) done = std::move(removed);
    }
    return done;
}

}  // namespace assay::sandbox
