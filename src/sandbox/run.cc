#include "sandbox/run.hh"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>

#include "sandbox/watch.hh"
#include "sys/error.hh"
#include "sys/file.hh"
#include "sys/socket.hh"

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr auto fill_time_max = 60s;
constexpr std::size_t complaint_bytes_max = 400;
// From here on the kernel takes back for each page that it gives.
constexpr std::int64_t memory_full_of(std::int64_t limit_bytes) { return limit_bytes - limit_bytes / 20; }

}  // namespace

Shape Run::shape() const {
    return {.trusted = order_.trusted != 0,
            .compiled = order_.compiled != 0,
            .host_network = order_.host_network != 0,
            .submission = order_.trusted != 0 && order_.has_submission != 0,
            .grader = order_.has_grader != 0,
            .guests = order_.guests != 0,
            .disk = order_.disk_scratch != 0,
            .binds = order_.binds_count,
            .states = job_.states.size()};
}

Result<> Run::build_cell() {
    std::vector<sys::Fd> trees;
    std::vector<std::string> places;
    bool uncounted = false;
    for (std::size_t i = 0; i < order_.binds_count; ++i) {
        const bool writable = order_.binds[i].writable != 0;
        ASSAY_TRY(sys::Fd tree, clone_path(take_descriptor(), writable, job_.shop.host_mounts, job_.own_mounts));
        trees.push_back(std::move(tree));
        places.emplace_back(order_.binds[i].inside.view());
        uncounted = uncounted || writable;
    }
    if (order_.disk_scratch != 0) job_.worn.clear();  // Each may hold as much again.
    cell_ = std::make_unique<Cell>(job_, shape(), order_.limits);
    ASSAY_CHECK(cell_->build(std::move(trees), places));
    if (uncounted) cell_->guarantees.disk = model::Guarantee::none;  // What is written there is nobody's to count.
    return ok;
}

// The one that waits, if it is of the right shape and can take these limits; else a new one.
Result<> Run::take_cell() {
    if (order_.taken != 0 &&
        (!job_.spare || !job_.spare->on_offer || job_.spare->shape != shape() || !job_.spare->stands_under(order_.limits))) {
        job_.spare.reset();  // Whatever runs in it.
        return Error{Fault::invalid, "no such sandbox was offered"};
    }
    const bool fills = submission_ >= 0 || grader_ >= 0;
    if (job_.spare && job_.spare->shape == shape() && !(fills && job_.spare->main.process.pidfd)) {
        ASSAY_TRY(const bool fits, job_.spare->fit(order_.limits));
        if (fits) {
            cell_ = std::move(job_.spare);
            return ok;
        }
        job_.spare.reset();
    }
    return build_cell();
}

// false: the tree did not fit, or unpacking was cut; `answer` says how.
Result<bool> Run::fill(int archive, std::string_view prefix, const std::string& directory, FromKeeper& answer) {
    ASSAY_TRY(auto complaint, sys::make_pipe());
    Cell& cell = *cell_;
    ASSAY_TRY(cell.main, cell.start_inside([&](int birthplace, int talk) {
        Result<Spawned> spawned = clone_process(0, birthplace);
        if (!spawned || spawned->pid != 0) return spawned;
        FillPlan plan{.talk = talk,
                      .ways = cell.ways(),
                      .filter = &job_.shop.filter(FilterKind::fill),
                      .complaint = complaint.second.get(),
                      .fill = job_.shop.config.fill,
                      .archive = archive,
                      .prefix = std::string{prefix},
                      .directory = directory,
                      .rlimits = cell.rlimits()};
        // A tree shown to a trusted stage has a tmpfs of `memory`, not of `disk`.
        plan.rlimits.file_bytes = std::max(plan.rlimits.file_bytes, order_.limits.memory_bytes);
        run_fill(plan);
    }));
    complaint.second.reset();
    Result<> entered = cell.admit(cell.main);
    if (entered) {
        tell(cell.main.talk.get(), say::attached);
        entered = hear(cell.main.talk, say::ready, in(setup_time_max));
    }
    if (!entered) {
        if (cell.group->oom_kills() == 0) return entered.take_error().in("fill " + directory);
        answer.oom_killed = 1;
        return false;
    }
    const sys::TimePoint begin = sys::system_clock().now();
    tell(cell.main.talk.get(), say::go);
    const TimeLimits limits{.cpu_ns = sys::Duration{fill_time_max}.count(), .wall_ns = sys::Duration{fill_time_max}.count(), .cores = 1};
    const auto [end, _] = watch({cell.main.process, cell.init.pidfd, job_.socket, job_.life, cell.oom}, limits,
                                *cell.group, begin, cell.group->cpu_usage().total_ns);
    if (end == End::abandoned || end == End::cancelled) {
        job_.abandoned = end == End::abandoned;
        return Error{Fault::interrupted, "the run was cancelled while its files were unpacked"};
    }
    kill_process(cell.main.process.pidfd);
    const std::optional<Ending> exit = reap(cell.main.process.pidfd, in(death_time_max));
    cell.main = {};
    // The event comes before the kernel has chosen and counted a victim; ours may have been quicker.
    const bool out_of_memory = end == End::oom || cell.group->oom_kills() > 0;
    if (exit && !exit->signalled && exit->code == 0 && !out_of_memory) return true;

    std::string text(complaint_bytes_max, '\0');
    const ssize_t n = ::read(complaint.first.get(), text.data(), text.size());  // All writers are dead.
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    bool full = false;
    for (const std::string* const path : {&cell.scratch->path, &cell.world.submission, &cell.world.grader}) {
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

// Everything that this command has of its own goes to the launcher, and the ends of its streams to the client.
Result<> Run::assign() {
    Cell& cell = *cell_;
    std::pair<sys::Fd, sys::Fd> input;
    if (order_.stdin_pipe != 0) {
        ASSAY_TRY(input, sys::make_pipe());
        if (::fchown(input.first.get(), job_.uid(), job_.uid()) != 0) return sys::last_error("fchown", "pipe");
    }
    const int from = input.first ? input.first.get() : stdin_;
    Assignment assignment{.rlimits = cell.rlimits(), .has_stdin = from >= 0, .command = order_.command};
    std::vector<int> passed;
    for (const int fd : {command_, from}) {
        if (fd >= 0) passed.push_back(fd);
    }
    started_ = sys::system_clock().now();
    // One that was killed meanwhile cannot hear it; why, its end says.
    (void)send(cell.main.talk, assignment, passed);

    FromKeeper begun{};
    begun.kind = FromKeeper::Kind::started;
    begun.uid = job_.uid();
    begun.limits = order_.limits;
    std::vector<int> ends{cell.out.get(), cell.err.get()};
    for (const int more : {input.second.get(), cell.assay_socket.get()}) {
        if (more >= 0) ends.push_back(more);
    }
    ASSAY_CHECK(send(job_.socket, begun, ends));
    return ok;
}

Result<> Run::command(FromKeeper& answer) {
    Cell& cell = *cell_;
    if (!cell.main.process.pidfd) {
        if (Result<> launched = cell.launch(); !launched) {
            if (cell.group->oom_kills() == 0) return launched.take_error().in("launch");
            answer.started = answer.oom_killed = 1;  // The limit does not even hold our launcher.
            started_ = ended_ = sys::system_clock().now();
            return ok;
        }
    }
    answer.limits.open_files = std::min(order_.limits.open_files, cell.open_files_max);
    const model::Limits& limits = order_.limits;
    const TimeLimits time{.cpu_ns = limits.cpu_ms * 1'000'000, .wall_ns = limits.wall_ms * 1'000'000, .cores = cell.cores(), .io_bytes = limits.io_bytes};
    Meanwhile meanwhile{.open_guest = nullptr, .lasting = [this] { stalls_base_ = read_stalls(*cell_->group, job_.group); }};
    if (order_.guests != 0) meanwhile.open_guest = [this](sys::Fd socket) { guests_.open(std::move(socket)); };
    if (order_.taken != 0) {
        started_ = std::clamp(sys::TimePoint{std::chrono::nanoseconds{order_.taken_ns}}, cell.offered,
                              sys::system_clock().now());
    } else {
        cell.forget_the_past();
        ASSAY_CHECK(cell.show_cores());
        ASSAY_CHECK(assign());
    }
    for (sys::Fd* const clients : {&cell.out, &cell.err, &cell.assay_socket}) clients->reset();
    answer.started = 1;
    const auto [end, ending] = watch({cell.main.process, cell.init.pidfd, job_.socket, job_.life, cell.oom}, time,
                                     *cell.group, started_, cell.cpu_base.total_ns, meanwhile);
    ended_ = sys::system_clock().now();
    switch (end) {
        case End::cpu: answer.cpu_exceeded = 1; break;
        case End::wall: answer.wall_exceeded = 1; break;
        case End::io: answer.io_exceeded = 1; break;
        case End::oom: answer.oom_killed = 1; break;
        case End::abandoned: job_.abandoned = true; break;
        case End::init_died: return Error{Fault::system, "the sandbox's init ended before its command"};
        case End::itself: case End::output: case End::cancelled: break;
    }
    cell.main_end = ending;
    if (end != End::itself || (ending && ending->code == 0)) return ok;
    // A launcher that could not become the command said why; exec closed the talk of one that did.
    char complaint[complaint_bytes_max];
    const ssize_t n = ::recv(cell.main.talk.get(), complaint, sizeof complaint, MSG_DONTWAIT);
    if (n > 1) return Error{Fault::system, std::string{complaint + 1, static_cast<std::size_t>(n - 1)}};
    return ok;
}

// Nothing of the command may live when it is counted. Of a command that left nothing but itself, init may: it holds nothing, and
// ends while the answer is on its way.
Result<> Run::end_all() {
    if (!cell_) return ok;
    Cell& cell = *cell_;
    if (cell.main.process.pidfd && started_ != sys::TimePoint{} && !leaves_something()) {
        if (!cell.main_end) cell.main_end = ending_of(cell.main.process.pidfd);
        if (cell.main_end && cell.alone()) return ok;
    }
    return cell.end();
}

void Run::count(FromKeeper& answer) {
    Cell& cell = *cell_;
    // How the time of one that was over at once divides would be chance: all is called user.
    const CpuUsage cpu = stalls_base_ ? cell.group->cpu_usage() : CpuUsage{.total_ns = cell.group->cpu_used_ns()};
    std::int64_t cpu_ns = cpu.total_ns - cell.cpu_base.total_ns;
    answer.memory_peak_bytes = cell.group->memory_peak_bytes();
    answer.processes_peak = cell.single ? 1 : cell.group->processes_peak();
    // Without groups: of the command and those of its children that it waited for.
    if (!cell.group->has(Controller::cpuacct)) cpu_ns = cell.main_end->cpu_ns;
    if (!cell.group->has(Controller::memory)) answer.memory_peak_bytes = cell.main_end->memory_peak_bytes;
    const auto system_ticks = static_cast<double>(cpu.system_ns - cell.cpu_base.system_ns);
    const double ticks = system_ticks + static_cast<double>(cpu.user_ns - cell.cpu_base.user_ns);
    const double cpu_ms = static_cast<double>(cpu_ns) / 1e6;
    answer.cpu_system_ms = ticks > 0 ? cpu_ms * system_ticks / ticks : 0;
    answer.cpu_user_ms = cpu_ms - answer.cpu_system_ms;
    answer.wall_ms = sys::ms_of(ended_ - started_);
    count_company(answer);

    // What the final counters say stands, even when the program was gone before we looked.
    if (cpu_ns > order_.limits.cpu_ms * 1'000'000) answer.cpu_exceeded = 1;
    if (ended_ - started_ > std::chrono::milliseconds{order_.limits.wall_ms}) answer.wall_exceeded = 1;
    if (order_.limits.io_bytes > 0) {
        const std::optional<Group::Io> io = cell.group->io();
        if (io && io->read_bytes + io->write_bytes > order_.limits.io_bytes) answer.io_exceeded = 1;
    }
    // One that was alone and was not killed was killed by nobody; one that never had all the processes it may was refused none.
    const bool killed = answer.processes_peak != 1 || (cell.main_end->signalled && cell.main_end->code == SIGKILL);
    if (killed && (cell.group->oom_kills() > 0 || job_.group.oom_kills() > cell.job_oom_kills)) answer.oom_killed = 1;
    const bool full = answer.processes_peak == 0 || answer.processes_peak >= order_.limits.processes;
    if (full && cell.group->processes_hit()) answer.processes_hit = 1;
    if (Result<Room> room = room_of(cell.scratch->path); room) {
        answer.disk_full = room->full;
        cell.untouched = room->untouched && !cell.shape.disk;
    }
    answer.signalled = cell.main_end->signalled;
    answer.code = cell.main_end->code;
}

// What is only worth its reading, which others wait for, when the command was not over at once: then nothing has stalled it for
// longer than is looked at.
void Run::count_company(FromKeeper& answer) const {
    const Group& group = *cell_->group;
    const std::int64_t wall_us = (ended_ - started_).count() / 1000;
    const Stalls& before = stalls_base_ ? *stalls_base_ : job_.stalls;
    const Stalls stalls = stalls_base_ ? read_stalls(group, job_.group) : job_.stalls;
    const std::int64_t limit_bytes = cell_->limits.memory_bytes;
    const auto full_bytes =
        answer.memory_peak_bytes >= memory_full_of(limit_bytes) ? std::optional{limit_bytes} : std::nullopt;
    if (const std::optional<bool> trustworthy = timing_is_trustworthy(before, stalls, wall_us, full_bytes))
        answer.trustworthy_timing = *trustworthy;
    if (stalls.throttled_us) answer.throttled_ns = (*stalls.throttled_us - before.throttled_us.value_or(0)) * 1000;
    if (!stalls_base_) return;
    if (const auto stalled_us = full_bytes ? memory_stalled_us(before, stalls, limit_bytes) : std::nullopt)
        answer.memory_stalled_ns = *stalled_us * 1000;
    answer.memory_file_bytes = group.memory_file_bytes().value_or(-1);
    if (const std::optional<Group::Io> io = group.io()) {
        answer.io_read_bytes = io->read_bytes;
        answer.io_write_bytes = io->write_bytes;
    } else if (const std::optional<std::int64_t> read = bytes_read(job_.disk_reads)) {
        answer.io_read_bytes = *read - cell_->read_before_bytes;
    }
}

// Nothing runs any more: what is kept is kept, the rest is dropped.
Result<> Run::settle(FromKeeper& answer, std::vector<sys::Fd>& kept) {
    Cell& cell = *cell_;
    if (!order_.report.view().empty()) {
        sys::Fd report = open_kept(cell.scratch->path + "/work", std::string{order_.report.view()}, report_bytes_max);
        if (report) kept.push_back(std::move(report));
    }
    if (order_.files_count > 0) ASSAY_CHECK(keep_files(answer, kept));
    if (order_.seal == 0) return ok;
    if (job_.states.size() >= states_max) return Error{Fault::too_large, "a job has at most 16 sealed states"};
    // A file in flight on a dead program's socket may still count as open for writing. It does no harm: nobody is left to
    // write, and from here on a state is only a lower layer or a read-only view.
    (void)make_read_only(cell.scratch->path);
    job_.states.push_back({std::string{order_.stage.view()}, cell.scratch->path});
    cell.scratch->path.clear();
    return ok;
}

// As the command left them: what it wrote lies above the states it started from.
Result<> Run::keep_files(FromKeeper& answer, std::vector<sys::Fd>& kept) {
    Cell& cell = *cell_;
    std::vector<std::string> layers = job_.layers_upto(job_.states.size());
    layers.insert(layers.begin(), cell.scratch->path + "/work");
    const Mount view{cell.scratch->path + "-view"};
    ASSAY_CHECK(show_layers(layers, view.path, job_.shop.contained));
    for (std::size_t i = 0; i < order_.files_count; ++i) {
        sys::Fd file = open_kept(view.path, std::string{order_.files[i].view()}, file_bytes_max);
        if (!file) continue;
        answer.files_there |= 1U << i;
        job_.handed_out = true;
        kept.push_back(std::move(file));
    }
    return ok;
}

// The command comes in place of the one that left the newest state, and starts from where that one did.
Result<> Run::unseal() {
    if (job_.states.empty() || job_.states.back().stage != order_.stage.view())
        return Error{Fault::invalid, "the stage was not the last to be sealed"};
    job_.spare.reset();  // It stands on what goes.
    job_.worn.clear();
    job_.drop(job_.states.back().mount);
    job_.states.pop_back();
    return ok;
}

// The way in and the command itself; stops where something does not fit.
Result<> Run::begin(FromKeeper& answer) {
    if (order_.command.size == 0 && order_.taken == 0) command_ = take_descriptor();
    if (order_.has_stdin != 0) stdin_ = take_descriptor();
    if (order_.has_submission != 0) submission_ = take_descriptor();
    if (order_.has_grader != 0) grader_ = take_descriptor();
    ASSAY_CHECK(take_cell());
    Cell& cell = *cell_;
    answer.limits = cell.limits;
    answer.guarantees = cell.guarantees;
    bool filled = true;
    if (submission_ >= 0) {
        ASSAY_TRY(filled, fill(submission_, order_.submission_prefix.view(), fills_work() ? "/work" : "/submission", answer));
    }
    if (filled && grader_ >= 0) {
        ASSAY_TRY(filled, fill(grader_, order_.grader_prefix.view(), "/grader", answer));
    }
    if (!filled) {
        answer.fill_failed = 1;
        answer.memory_peak_bytes = cell.group->memory_peak_bytes();
        return ok;
    }
    for (const std::string* const path : {&cell.world.submission, &cell.world.grader}) {
        if (!path->empty()) ASSAY_CHECK(make_read_only(*path));
    }
    return command(answer);
}

Result<> Run::execute(FromKeeper& answer, std::vector<sys::Fd>& kept) {
    if (order_.again != 0) ASSAY_CHECK(unseal());
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
    return done;
}

}  // namespace assay::sandbox
