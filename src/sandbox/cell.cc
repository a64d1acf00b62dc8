#include "sandbox/cell.hh"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/log.hh"
#include "sandbox/control.hh"
#include "sandbox/disk_reads.hh"
#include "sandbox/guest_keepers.hh"
#include "sandbox/sandbox.hh"
#include "sandbox/watch.hh"
#include "sys/error.hh"
#include "sys/file.hh"
#include "sys/process.hh"

namespace assay::sandbox {
namespace {

constexpr std::size_t retired_max = 4;              // groups, and stacks, that wait for a next cell
// RLIMIT_NPROC above `processes`, which the group refuses first and counts. A fork beyond both fails before anything was copied, so that
// of a fork bomb fewer are in the middle of one when they are killed. More than dead commands of this keeper still to be reaped.
constexpr std::int64_t processes_slack = 8;
constexpr std::int64_t file_bytes_slack = 1 << 20;  // RLIMIT_FSIZE above `disk`: a full disk is ENOSPC, not SIGXFSZ

Result<Stack> take_stack(JobState& job) {
    if (job.stacks.empty()) return Stack::make();
    Stack stack = std::move(job.stacks.back());
    job.stacks.pop_back();
    return stack;
}

}  // namespace

std::uint32_t JobState::uid() const { return shop.config.first_uid + static_cast<std::uint32_t>(slot); }
std::uint32_t JobState::init_uid() const { return shop.config.first_uid + slots_max; }

int JobState::prepared_root() const { return image.empty() ? shop.plain_root.get() : image_root.get(); }

std::vector<std::string> JobState::layers_upto(std::size_t count) const {
    std::vector<std::string> layers;
    for (std::size_t i = count; i > 0; --i) layers.push_back(states[i - 1].mount + "/work");
    return layers;
}

void JobState::drop(const std::string& scratch) const {
    if (handed_out) detach(scratch);
    else drop_scratch(scratch);
}

Result<> JobState::give_memory(std::int64_t demand_bytes) {
    // What earlier stages left sealed is charged to the job's group and must not crowd out this one.
    if (guest != 0) return ok;
    const std::int64_t demand = std::max(memory_max_bytes, demand_bytes);
    if (demand == memory_given_bytes && states.size() == states_given) return ok;
    // Groups that wait for a next command may hold the kernel's reserve each; the command's own limit shall be what it meets first.
    const std::int64_t held_bytes = static_cast<std::int64_t>(retired_max) * Group::reserve_bytes();
    ASSAY_CHECK(group.limit_memory(demand + group.memory_usage_bytes() + held_bytes, false));
    memory_given_bytes = demand;
    states_given = states.size();
    return ok;
}

Result<Inmate> Cell::start_inside(const Start& start) const {
    ASSAY_TRY(auto talk, sys::socket_pair(sys::PairKind::seqpacket));
    if (::setns(init.pidfd.get(), CLONE_NEWPID) != 0) return sys::last_error("setns", "pid namespace of the sandbox");
    Result<Spawned> spawned = start(group->birthplace(), talk.second.get());
    if (::setns(job.own_pids.get(), CLONE_NEWPID) != 0) return sys::last_error("setns", "own pid namespace");
    if (!spawned) return spawned.take_error();
    return Inmate{std::move(spawned).value(), std::move(talk.first)};
}

Cell::~Cell() {
    const auto judge = [&](const Result<>& gone) {
        if (gone) return;
        log::error("sandbox.leftover", {{"slot", job.slot}, {"error", gone.error().text()}});
        job.leftover = true;
    };
    judge(end());
    if (scratch && !scratch->path.empty()) {
        const std::string path = std::exchange(scratch->path, {});
        if (untouched) job.empties.push_back(path);
        else job.drop(path);
    }
    for (std::optional<Mount>* const mount : {&submission, &grader})
        mount->reset();  // What is charged to the group goes with it.
    if (init_stack && !init.pidfd && job.stacks.size() < retired_max) job.stacks.push_back(std::move(init_stack));
    if (!group) return;
    // A quota would have to be taken back, and what did not end may still be in it.
    const bool again = !init.pidfd && !main.process.pidfd && limits.cores == 0 && job.retired.size() < retired_max;
    if (!again) {
        judge(group->remove(in(death_time_max)));
        return;
    }
    Result<Group> lasting = group->retire(in(death_time_max));
    if (lasting) job.retired.push_back(std::move(lasting).value());
    else judge(lasting.take_error());
}

Result<> Cell::build(std::vector<sys::Fd> trees, const std::vector<std::string>& places) {
    using model::Guarantee;
    guarantees = {.cpu = Guarantee::exact, .wall = Guarantee::exact, .memory = Guarantee::exact, .processes = Guarantee::exact,
                  .output = Guarantee::exact, .disk = Guarantee::exact};
    // Guests together may use as much again as the stage that they belong to.
    ASSAY_CHECK(job.give_memory(limits.memory_bytes + (shape.guests ? limits.memory_bytes : 0)));
    const std::string number = std::to_string(job.cells++);
    Group retired;
    if (!job.retired.empty()) {
        retired = std::move(job.retired.back());
        job.retired.pop_back();
    }
    ASSAY_TRY(group, job.nest.make_child("run" + number, std::move(retired)));
    ASSAY_TRY(const std::optional<std::int64_t> memory, group->limit_memory(limits.memory_bytes, true));
    ASSAY_TRY(const std::optional<std::int64_t> processes, group->limit_processes(limits.processes));
    limits.memory_bytes = memory.value_or(limits.memory_bytes);
    if (!memory || !group->limits_swap()) guarantees.memory = Guarantee::approximate;
    if (!processes) guarantees.processes = Guarantee::approximate;
    if (!group->has(Controller::cpuacct)) guarantees.cpu = Guarantee::approximate;
    if (limits.cores > 0) ASSAY_CHECK(limit_cores(limits.cores));
    judge_io();
    ASSAY_TRY(oom, group->oom_events());

    const std::string place = job.bench + (job.guest == 0 ? "/r" : "/g" + std::to_string(job.guest) + "r") + number;
    scratch.emplace(place);
    if (shape.disk) {
        ASSAY_CHECK(job.shop.disk_scratch.mount(place, limits.disk_bytes, job.group));
        ASSAY_CHECK(make_scratch_folders(place, job.uid()));
    } else {
        ASSAY_CHECK(make_scratch(place, limits.disk_bytes, job.uid()));
    }
    ASSAY_TRY(const Room room, room_of(place));
    limits.disk_bytes = room.bytes;

    world.trusted = shape.trusted;
    world.network = shape.host_network;
    world.scratch = place;
    world.image = job.image;
    world.contained = job.shop.contained;
    if (shape.common()) world.prepared = job.prepared_root();
    if (world.trusted) {
        for (const auto& [wanted, mount, path, name] : {std::tuple{shape.submission, &submission, &world.submission, "-submission"},
                                                        {shape.grader, &grader, &world.grader, "-grader"}}) {
            if (!wanted) continue;
            *path = place + name;
            mount->emplace(*path);
            ASSAY_CHECK(mount_tmpfs(*path, limits.memory_bytes, model::inodes_of(limits.memory_bytes)));
            ASSAY_CHECK(sys::change_owner(*path, job.uid(), job.uid()));
        }
        for (std::size_t i = 0; i < job.states.size(); ++i) world.stages.push_back({job.states[i].stage, job.layers_upto(i + 1)});
        if (shape.guests) {
            world.assay = place + "/assay";
            ASSAY_TRY(assay_socket, make_assay(world.assay, job.uid()));
        }
    } else {
        world.layers = job.layers_upto(job.states.size());
    }
    bind_trees = std::move(trees);
    for (std::size_t i = 0; i < bind_trees.size(); ++i) world.binds.push_back({bind_trees[i].get(), places[i]});

    return start_init();
}

Result<> Cell::start_init() {
    ASSAY_TRY(init_stack, take_stack(job));
    ASSAY_TRY(auto pipe, sys::make_pipe());
    InitPlan plan{.world = &world, .bench = job.bench, .uid = job.init_uid(), .ready = pipe.second.get(), .keeper = pipe.first.get(), .failure = {}};
    const std::uint64_t mounts = world.prepared < 0 ? CLONE_NEWNS : 0;  // Else it copies that one, when it needs it.
    const std::uint64_t network = job.shop.config.network_each ? CLONE_NEWNET : 0;
    ASSAY_TRY(init, clone_sharing(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | mounts | network, init_stack, run_init,
                                  &plan));
    pipe.second.reset();
    // It works in our memory now. One that never comes back keeps that, so that this process ends: the helper removes what is left.
    pollfd word{pipe.first.get(), POLLIN, 0};
    constexpr int time_max_ms = std::chrono::milliseconds{setup_time_max}.count();
    const sys::TimePoint deadline = in(setup_time_max);
    for (int said = -1; said <= 0;) {
        said = ::poll(&word, 1, time_max_ms);
        if (said == 0 || sys::system_clock().now() > deadline) ::_exit(1);
    }
    char byte = 0;
    // A command would empty the version 2 group by its end, and the kernel tell of that on its processor when the keeper, then the
    // client have to run there: 0.08 ms of 1.4.
    if (::read(pipe.first.get(), &byte, 1) == 1) return group->occupy(init.pid);
    return plan.failure ? std::move(*plan.failure) : Error{Fault::unreachable, "the sandbox's init ended early"};
}

Rlimits Cell::rlimits() const {
    Rlimits set{.open_files = limits.open_files, .file_bytes = limits.disk_bytes + file_bytes_slack, .stack_bytes = limits.memory_bytes,
                .processes = limits.processes + (group->has(Controller::pids) ? processes_slack : 0)};
    // Without a group these come near, each process for itself.
    if (!group->has(Controller::memory)) set.address_space_bytes = limits.memory_bytes;
    if (!group->has(Controller::cpuacct)) set.cpu_seconds = limits.cpu_ms / 1000 + 1;
    return set;
}

int Cell::cores() const {
    const std::int64_t at_once = limits.cores > 0 ? std::min(limits.cores, limits.processes) : limits.processes;
    // A machine with more than a set of them holds tells of none.
    return static_cast<int>(
        std::clamp<std::int64_t>(std::ssize(job.shop.given.cores), 1, std::max<std::int64_t>(1, at_once)));
}

Result<> Cell::limit_cores(std::int64_t count) {
    const bool all_own = !job.cores.empty() && count == std::ssize(job.cores);  // There are no others.
    ASSAY_TRY(const std::optional<std::int64_t> got, group->limit_cores(all_own ? 0 : count));
    limits.cores = count;
    // Without a quota there is still what the program sees, which it may change.
    guarantees.cores = count == 0 ? model::Guarantee::none : got ? model::Guarantee::exact : model::Guarantee::approximate;
    return ok;
}

// Looked at now and then, so a little more may have been transferred when it ends.
void Cell::judge_io() {
    const bool counted = limits.io_bytes > 0 && group->io();
    guarantees.io = counted ? model::Guarantee::approximate : model::Guarantee::none;
    if (!counted) limits.io_bytes = 0;  // What is not in force is no limit of this command.
}

Result<> Cell::show_cores() const {
    const bool own = !job.cores.empty();
    const std::vector<int>& cpus = own ? job.cores : job.shop.given.cores;
    if (own) ASSAY_CHECK(job.shop.own_cores.enter(job_group(job.shop.group, job.slot), main.process.pid));
    if (!own && (limits.cores == 0 || limits.cores >= std::ssize(cpus))) return ok;
    cpu_set_t some;
    CPU_ZERO(&some);
    const auto count = static_cast<std::size_t>(limits.cores);
    const auto first = own ? 0 : static_cast<std::size_t>(job.slot) * count;  // Neighbours by slot, so that two jobs meet late.
    for (std::size_t i = 0; i < count; ++i) CPU_SET(static_cast<std::size_t>(cpus[(first + i) % cpus.size()]), &some);
    if (::sched_setaffinity(main.process.pid, sizeof some, &some) != 0 && own) return sys::last_error("sched_setaffinity", "own cores");
    return ok;
}

Ways Cell::ways() const {
    return {.init = init.pidfd.get(),
            .users = job.users.get(),
            .network = shape.host_network             ? job.shop.host_network.get()
                       : job.shop.config.network_each ? init.pidfd.get()
                                                      : -1};
}

Result<> Cell::admit(const Inmate& inmate) const {
    ASSAY_CHECK(group->enter(inmate.process.pid));
    return write_control("/proc/" + std::to_string(inmate.process.pid) + "/oom_score_adj", "1000");
}

Result<> Cell::order_entry(int stdout_fd, int stderr_fd) const {
    const auto instructions = job.shop.filter(shape.compiled ? FilterKind::compiled : FilterKind::language).program();
    const Ways to = ways();
    Entry entry;
    entry.has_network = to.network >= 0;
    entry.filter_size = static_cast<std::uint32_t>(instructions.size());
    std::ranges::copy(instructions, entry.filter);
    std::vector<int> passed{to.init, to.users, stdout_fd, stderr_fd};
    if (to.network >= 0) passed.push_back(to.network);
    return sys::send_message(main.talk, std::as_bytes(std::span{&entry, 1}).first(entry_bytes(instructions.size())),
                             passed);
}

Result<> Cell::launch() {
    ASSAY_TRY(auto out_pipe, sys::make_pipe());
    ASSAY_TRY(auto err_pipe, sys::make_pipe());
    for (const auto* const pipe : {&out_pipe, &err_pipe}) {
        // Its own, so that it may open /dev/stdout anew.
        if (::fchown(pipe->second.get(), job.uid(), job.uid()) != 0) return sys::last_error("fchown", "pipe");
        // For the client, so that this is done when nobody waits.
        if (::fcntl(pipe->first.get(), F_SETFL, O_NONBLOCK) != 0) return sys::last_error("fcntl", "pipe");
    }
    LauncherPlan plan{.program = job.shop.launcher.get()};
    ASSAY_TRY(Stack stack, take_stack(job));
    ASSAY_TRY(main, start_inside([&](int birthplace, int talk) {
                  plan.talk = talk;
                  return clone_to_execute(birthplace, stack, run_launcher, &plan);
              }));
    job.stacks.push_back(std::move(stack));
    if (plan.failure != 0) return sys::error_of(plan.failure, "execveat", "launcher");
    out = std::move(out_pipe.first);
    err = std::move(err_pipe.first);
    ASSAY_CHECK(admit(main));
    ASSAY_CHECK(order_entry(out_pipe.second.get(), err_pipe.second.get()));
    if (job.guest == 0) {
        out_kept = std::move(out_pipe.second);
        err_kept = std::move(err_pipe.second);
    }
    ASSAY_CHECK(hear(main.talk, say::ready, in(setup_time_max)));
    filter_kept = copy_descriptor(main.process.pidfd, filter_fd);
    rlimit files{};
    if (::prlimit(main.process.pid, RLIMIT_NOFILE, nullptr, &files) != 0) return sys::last_error("prlimit", "launcher");
    open_files_max = static_cast<std::int64_t>(files.rlim_max);
    group->keep_open();
    cpu_base = group->cpu_usage();
    // The other counters that an answer waits for, so that they are open.
    group->open_counters();
    return ok;
}

Result<> Cell::offer() {
    if (on_offer || !main.process.pidfd) return ok;
    FromKeeper offer{};
    offer.kind = FromKeeper::Kind::offered;
    offer.compiled = shape.compiled;
    offer.uid = job.uid();
    offer.limits = limits;
    if (limits.cores == std::ssize(job.cores))
        offer.limits.cores = 0;  // All of its own: mostly nobody asks for a number then.
    offer.rlimits = rlimits();
    // A guest's streams are its harness's to read, and some limits hang on the order where there are no groups.
    if (job.guest != 0 || offer.rlimits.address_space_bytes > 0 || offer.rlimits.cpu_seconds > 0) return ok;
    ASSAY_CHECK(show_cores());
    forget_the_past();
    offered = sys::system_clock().now();
    on_offer = true;
    const int passed[] = {main.talk.get(), out.get(), err.get()};
    return send(job.socket, offer, passed);
}

// The kernel tells all groups below one that is out of memory: what the job, or a command before, ran out of is none of this one's.
void Cell::forget_the_past() {
    forget_deaths();
    std::uint64_t before = 0;
    if (oom >= 0) (void)::read(oom, &before, sizeof before);
    job_oom_kills = job.group.oom_kills();
    read_before_bytes = bytes_read(job.disk_reads).value_or(0);
}

bool Cell::stands_under(const model::Limits& wanted) const {
    return wanted.memory_bytes == limits.memory_bytes && wanted.processes == limits.processes &&
           wanted.disk_bytes == limits.disk_bytes && wanted.cores == limits.cores;
}

Result<bool> Cell::fit(const model::Limits& wanted) {
    if (wanted.cores != limits.cores && offered != sys::TimePoint{}) return false;  // It has been shown others.
    ASSAY_CHECK(job.give_memory(wanted.memory_bytes + (shape.guests ? wanted.memory_bytes : 0)));
    if (wanted.memory_bytes != limits.memory_bytes) {
        // It may be less than the launcher uses by now: one that starts under the limit says how that ends.
        const Result<std::optional<std::int64_t>> memory = group->limit_memory(wanted.memory_bytes, true);
        if (!memory) return false;
        limits.memory_bytes = memory->value_or(wanted.memory_bytes);
    }
    if (wanted.processes != limits.processes) ASSAY_CHECK(group->limit_processes(wanted.processes));
    if (wanted.disk_bytes != limits.disk_bytes) {
        ASSAY_CHECK(resize_scratch(scratch->path, wanted.disk_bytes));
        ASSAY_TRY(const Room room, room_of(scratch->path));
        limits.disk_bytes = room.bytes;
    }
    if (wanted.cores != limits.cores) ASSAY_CHECK(limit_cores(wanted.cores));
    const model::Limits held = limits;
    limits = wanted;
    limits.memory_bytes = held.memory_bytes;
    limits.disk_bytes = held.disk_bytes;
    judge_io();
    return true;
}

bool Cell::alone() {
    single = main.process.pidfd && group->processes_peak() == 1;
    return single || group->processes() == (main.process.pidfd ? 1 : 0);
}

void Cell::let_go() {
    if (main_end && main.process.pidfd && reap(main.process.pidfd, sys::system_clock().now())) main = {};
    if (init.pidfd) kill_process(init.pidfd);
}

bool Cell::gone() {
    if (main.process.pidfd) return false;
    if (init.pidfd && reap(init.pidfd, sys::system_clock().now())) init = {};
    return !init.pidfd;
}

Result<> Cell::end() {
    if (group && !(main_end && alone())) {
        group->kill();
        if (limits.cores > 0) (void)group->limit_cores(0);  // To die takes processor time as well.
    }
    for (const Spawned* const process : {&init, &main.process}) {
        if (process->pidfd) kill_process(process->pidfd);
    }
    if (main.process.pidfd) release_memory(main.process.pidfd);
    // The command first: init cannot end before everything in its namespace was reaped.
    if (main.process.pidfd) {
        main_end = reap(main.process.pidfd, in(death_time_max));
        if (!main_end) return Error{Fault::timed_out, "process " + std::to_string(main.process.pid) + " does not die"};
        main = {};
    }
    if (init.pidfd) {
        if (!reap(init.pidfd, in(death_time_max))) return Error{Fault::timed_out, "the sandbox's init does not die"};
        init = {};
    }
    return ok;
}

}  // namespace assay::sandbox
