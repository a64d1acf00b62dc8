// Between commands a keeper waits; a command itself is a Run (run.hh).
#include "sandbox/keeper.hh"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include "base/log.hh"
#include "sandbox/protocol.hh"
#include "sandbox/run.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr auto empty_time_max = 20s;
constexpr auto call_time = 1ms;
constexpr auto order_late_max = 500ms;  // after its command was begun
constexpr std::size_t worn_max = 4;

// From all others: an empty network, loopback down, that nobody in a sandbox may change and whose abstract sockets are this keeper's
// commands' alone; and users of their uid alone, by whom the kernel counts.
Result<> set_apart(JobState& job) {
    ASSAY_TRY(job.own_pids, sys::open_read("/proc/self/ns/pid"));
    if (::unshare(CLONE_NEWNET) != 0) return sys::last_error("unshare", "network");
    ASSAY_TRY(job.users, make_users(job.uid()));
    return ok;
}

// What the slot's jobs find when they begin.
Result<> move_in(JobState& job) {
    ASSAY_CHECK(set_apart(job));
    if (::unshare(CLONE_NEWNS) != 0) return sys::last_error("unshare", "slot");
    ASSAY_TRY(job.own_mounts, sys::open_read("/proc/self/ns/mnt"));
    ASSAY_TRY(job.bench, make_bench());
    const std::string name = job_group(job.shop.group, job.slot);
    ASSAY_TRY(job.group, Group::make(job.shop.hierarchies, name, true));
    if (!job.cores.empty()) ASSAY_CHECK(job.shop.own_cores.give(name, job.cores));
    if (const Result<> bounded = job.shop.disk_reads.bound(job.slot, ::getpid()); !bounded)
        log::warn("sandbox.reads_not_bounded", {{"slot", job.slot}, {"error", bounded.error().text()}});
    job.disk_reads = job.shop.disk_reads.counter(job.slot);
    job.group.keep_open();
    job.nest = job.group;
    job.stalls = read_stalls(job.group, job.group);
    return ok;
}

Result<> open(JobState& job, const std::string& digest) {
    if (!digest.empty()) {
        ASSAY_TRY(const sys::Fd image, open_image(job.shop.data, digest));
        ASSAY_TRY(const sys::Fd tree, clone_path(image.get(), false, job.shop.host_mounts, job.own_mounts));
        job.image = job.bench + "/image";
        ASSAY_CHECK(attach_tree(tree, job.image));
        Result<sys::Fd> root = prepare_root(job.image, job.bench + "/root", job.own_mounts);
        if (!root) return Error{Fault::system, root.error().text()};  // Whatever lacks in it: the image is there.
        job.image_root = std::move(root).value();
    }
    job.memory_given_bytes = 0;
    return ok;
}

// What the next command of a job will probably be like.
struct Guess {
    bool compiled = false;
    model::Limits limits;
    bool wanted = true;
    bool fills = false;  // It unpacks before it starts, and what unpacks is not to be counted as the command's.
};

bool greet(const JobState& job, const Result<>& opened) {
    FromKeeper answer{};
    answer.say(FromKeeper::Kind::opened, opened);
    answer.image_missing = !opened && opened.error().fault() == Fault::missing;
    return send(job.socket, answer).has_value();
}

// Whoever has a next order ready sends it within `patience`.
bool is_called(const JobState& job, std::chrono::nanoseconds patience) {
    pollfd fds[] = {{job.socket.get(), POLLIN, 0}, {job.life.get(), POLLIN, 0}};
    const timespec wait{0, patience.count()};
    return ::ppoll(fds, 2, &wait, nullptr) != 0;
}

// What an order need not wait for. First of all the last command's cell goes, as far as that takes no waiting. When no order comes
// then, a cell is built that the next one will probably want: of the kind of the last one that was worth it, under its limits.
// It is only a guess: a command that wants another gets another.
void turn_over(JobState& job, Guess& guess) {
    if (!job.worn.empty()) {
        Cell& last = *job.worn.back();
        last.let_go();
        if (last.shape.common()) guess = {last.shape.compiled, last.limits};
        else guess.wanted = false;
    }
    const Shape shape{.compiled = guess.compiled, .states = job.states.size()};
    if (job.spare && (job.spare->shape != shape || !guess.wanted)) job.spare.reset();
    std::erase_if(job.worn, [](const std::unique_ptr<Cell>& cell) { return cell->gone(); });
    if (job.worn.size() >= worn_max) job.worn.clear();
    if (job.empties.size() >= worn_max) job.drop_empties();
    if (is_called(job, call_time)) return;
    if (!job.spare && guess.wanted) {
        auto cell = std::make_unique<Cell>(job, shape, guess.limits);
        Result<> built = cell->build({}, {});
        if (built && !guess.fills) built = cell->launch();
        if (built) job.spare = std::move(cell);  // Else the next command meets the same, and says so.
    }
    if (job.spare && !job.spare->offer()) job.spare.reset();
    if (is_called(job, 0ns)) return;
    job.worn.clear();
    job.drop_empties();
}

// Waits for what the client asks. Whoever takes an offer tells us in the same breath.
Result<> next_order(JobState& job, Received<ToKeeper>& order) {
    for (;;) {
        pollfd fds[] = {{job.socket.get(), POLLIN, 0},
                        {job.life.get(), POLLIN, 0},
                        {job.spare && job.spare->on_offer ? job.spare->main.talk.get() : -1, POLLIN, 0}};
        if (::poll(fds, 3, -1) < 0) continue;  // Only EINTR is possible.
        if (fds[1].revents != 0) return Error{Fault::interrupted, "the helper is gone"};
        if (fds[0].revents != 0) return receive(job.socket, order);
        if (is_called(job, order_late_max)) continue;
        job.spare.reset();  // Its launcher has ended, or runs what nobody would watch.
    }
}

// true: its client has closed it. false: client or helper is gone.
bool serve(JobState& job) {
    Guess guess{.fills = job.guest == 0};  // Of a job's first command.
    guess.limits.memory_bytes = std::min(guess.limits.memory_bytes, job.memory_max_bytes);
    Received<ToKeeper> asked;  // It is large: one for all.
    for (;;) {
        turn_over(job, guess);
        if (!next_order(job, asked)) return false;
        if (asked.message.kind == ToKeeper::Kind::close) return true;
        if (asked.message.kind != ToKeeper::Kind::run) continue;  // Asks for the end of what has just ended.

        FromKeeper answer{};
        std::vector<sys::Fd> kept;
        // Of a job with cores of its own there are no others, and all of them are for whoever asks for none.
        if (std::int64_t& cores = asked.message.limits.cores;
            !job.cores.empty() && (cores == 0 || cores > std::ssize(job.cores)))
            cores = std::ssize(job.cores);
        Result<> done = check(asked.message, asked.descriptors.size(), job.shop.config.allow_binds);
        if (done && job.guest != 0) done = check_guest(asked.message);
        if (done) done = Run{job, asked.message, std::move(asked.descriptors)}.execute(answer, kept);
        if (job.abandoned) return false;
        if (job.spare) job.spare->on_offer = false;
        guess.fills = false;
        answer.say(FromKeeper::Kind::finished, done);
        std::vector<int> passed;
        for (const sys::Fd& file : kept) passed.push_back(file.get());
        if (!send(job.socket, answer, passed)) return false;
        ::sched_yield();  // Whoever waited for it goes first, should it be on this processor.
    }
}

void end_cells(JobState& job) {
    job.spare.reset();
    job.worn.clear();
    job.drop_empties();
}

// Nothing of the job is left but what the next one may have.
void close(JobState& job) {
    end_cells(job);
    for (const State& state : job.states) job.drop(state.mount);
    job.states.clear();
    job.handed_out = false;
    if (!job.image.empty()) detach(std::exchange(job.image, {}));
    job.image_root.reset();
}

// The keeper ends: also what would have been for later.
Result<> remove_all(const std::vector<Group>& below, const Group& group) {
    for (const Group& one : below) ASSAY_CHECK(one.remove(in(empty_time_max)));
    return group.remove(in(empty_time_max));
}

int ended(const JobState& job, const Result<>& how) {
    if (how) return 0;
    log::error("sandbox.leftover", {{"slot", job.slot}, {"error", how.error().text()}});
    return 1;  // The helper removes what a failed keeper leaves.
}

}  // namespace

int keep_slot(const Workshop& shop, int slot, sys::Fd helper) {
    JobState job{.shop = shop, .slot = slot, .life = std::move(helper)};
    take_short_turns(true);
    hold_back_deaths();
    const int own = shop.config.cores_per_slot;
    if (own > 0 && slot < shop.config.slots) job.cores = cores_of_slot(shop.given.cores, own, slot);
    const Result<> moved = own > 0 && job.cores.empty() ? Error{Fault::unsupported, "this machine has no cores of its own for slot " + std::to_string(slot)}
                                                        : move_in(job);
    for (bool again = true; again;) {
        Result<Received<ToHelper>> order = receive<ToHelper>(job.life);
        if (!order || order->descriptors.size() != 1) break;
        job.socket = std::move(order->descriptors.front());
        job.memory_max_bytes = order->message.memory_max_bytes;
        const Result<> opened = moved ? open(job, std::string{order->message.image.view()}) : moved;
        if (!greet(job, opened) || !opened) return 1;
        again = serve(job);
        close(job);
        again = again && !job.leftover;
        if (again) tell(job.life.get(), say::ready);
        job.socket.reset();
    }
    return ended(job, remove_all(job.retired, job.group));
}

int keep_guest(const JobState& host, int number, sys::Fd socket, sys::Fd life) {
    JobState job{.shop = host.shop,
                 .slot = host.slot,
                 .life = std::move(life),
                 .cores = host.cores,
                 .bench = host.bench,
                 .stalls = host.stalls,
                 .socket = std::move(socket),
                 .memory_max_bytes = host.memory_max_bytes,
                 .image = host.image,
                 .image_root = sys::Fd{host.image_root.get()},
                 .states = host.states,
                 .guest = number};
    const auto open_guest = [&]() -> Result<> {
        ASSAY_CHECK(set_apart(job));  // From the trusted command and other guests as well.
        ASSAY_TRY(job.group, host.group.reopened());
        ASSAY_TRY(job.nest, job.group.make_child(guest_group(number)));
        return ok;
    };
    const Result<> opened = open_guest();
    if (!greet(job, opened) || !opened) return 1;
    (void)serve(job);
    end_cells(job);
    return ended(job, remove_all(job.retired, job.nest));  // The rest is the job's.
}

}  // namespace assay::sandbox
