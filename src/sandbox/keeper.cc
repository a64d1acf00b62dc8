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

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr auto empty_time_max = 20s;
constexpr auto call_time = 1ms;
constexpr std::size_t worn_max = 4;

Result<> open_own_pids(JobState& job) {
    job.own_pids = sys::Fd{::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC)};
    if (!job.own_pids) return sys::last_error("open", "own pid namespace");
    return ok;
}

Result<> open(JobState& job) {
    ASSAY_CHECK(open_own_pids(job));
    if (::setns(job.order.network, CLONE_NEWNET) != 0) return sys::last_error("setns", "network of the slot");
    if (::unshare(CLONE_NEWNS) != 0) return sys::last_error("unshare", "job");
    job.own_mounts = sys::Fd{::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)};
    if (!job.own_mounts) return sys::last_error("open", "own mount namespace");
    ASSAY_TRY(job.bench, make_bench());
    if (!job.order.image.empty()) {
        ASSAY_TRY(const sys::Fd image, open_image(job.shop.data, job.order.image));
        ASSAY_TRY(const sys::Fd tree, clone_path(image.get(), false, job.shop.host_mounts, job.own_mounts));
        job.image = job.bench + "/image";
        ASSAY_CHECK(attach_tree(tree, job.image));
        Result<sys::Fd> root = prepare_root(job.image, job.bench + "/root", job.own_mounts);
        if (!root) return Error{Fault::system, root.error().text()};  // Whatever lacks in it: the image is there.
        job.image_root = std::move(root).value();
    }
    ASSAY_TRY(job.group, Group::make(job.shop.hierarchies, job.shop.group + "/job" + std::to_string(job.order.slot), true));
    job.group.keep_open();
    job.stalls = read_stalls(job.group, job.group);
    job.nest = job.group;
    return ok;
}

// What the next command of a job will probably be like.
struct Guess {
    bool compiled = false;
    model::Limits limits;
    bool wanted = true;
};

bool greet(const JobState& job, const Result<>& opened) {
    FromKeeper answer{};
    answer.kind = FromKeeper::Kind::opened;
    if (!opened) {
        answer.failed = 1;
        answer.image_missing = opened.error().fault() == Fault::missing;
        answer.fault.set_cut(opened.error().text());
    }
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
    if (is_called(job, call_time)) return;
    if (!job.spare && guess.wanted) {
        auto cell = std::make_unique<Cell>(job, shape, guess.limits);
        Result<> built = cell->build({}, {});
        // The first command of a job unpacks before it starts, and what unpacks is not to be counted as the command's.
        if (built && (job.guest != 0 || job.cells > 1)) built = cell->launch();
        if (built) job.spare = std::move(cell);  // Else the next command meets the same, and says so.
    }
    if (!is_called(job, 0ns)) job.worn.clear();
}

Result<> close(JobState& job) {
    job.spare.reset();
    job.worn.clear();
    for (const Group& group : job.retired) ASSAY_CHECK(group.remove(sys::system_clock().now() + empty_time_max));
    if (job.guest != 0) return job.nest.remove(sys::system_clock().now() + empty_time_max);  // The rest is the job's.
    for (const State& state : job.states) detach(state.mount);
    job.states.clear();
    if (!job.image.empty()) detach(job.image);
    return job.group.remove(sys::system_clock().now() + empty_time_max);
}

int serve(JobState& job) {
    take_short_turns(true);
    Guess guess;
    guess.limits.memory_bytes = std::min(guess.limits.memory_bytes, job.order.memory_max_bytes);
    for (;;) {
        turn_over(job, guess);
        pollfd fds[] = {{job.socket.get(), POLLIN, 0}, {job.life.get(), POLLIN, 0}};
        if (::poll(fds, 2, -1) < 0) continue;  // Only EINTR is possible.
        if (fds[1].revents != 0) break;
        Result<Received<ToKeeper>> asked = receive<ToKeeper>(job.socket);
        if (!asked || asked->message.kind == ToKeeper::Kind::close) break;
        if (asked->message.kind != ToKeeper::Kind::run) continue;  // Asks for the end of what has just ended.

        FromKeeper answer{};
        std::vector<sys::Fd> kept;
        Result<> done = check(asked->message, asked->descriptors.size(), job.shop.config.allow_binds);
        if (done && job.guest != 0) done = check_guest(asked->message);
        if (done) done = Run{job, asked->message, std::move(asked->descriptors)}.execute(answer, kept);
        if (job.abandoned) break;
        answer.kind = FromKeeper::Kind::finished;
        if (!done) {
            answer.failed = 1;
            answer.fault.set_cut(done.error().text());
        }
        std::vector<int> passed;
        for (const sys::Fd& file : kept) passed.push_back(file.get());
        if (!send(job.socket, answer, passed)) break;
    }
    if (const Result<> closed = close(job); !closed) {
        log::error("sandbox.leftover", {{"slot", job.order.slot}, {"error", closed.error().text()}});
        return 1;
    }
    return 0;
}

}  // namespace

int keep_job(const Workshop& shop, const JobOrder& order, sys::Fd socket, sys::Fd life) {
    JobState job{.shop = shop,
                 .order = order,
                 .socket = std::move(socket),
                 .life = std::move(life),
                 .users = sys::Fd{order.users}};
    const Result<> opened = open(job);
    const bool greeted = greet(job, opened);
    return opened && greeted ? serve(job) : 1;  // The helper removes what a failed keeper leaves.
}

int keep_guest(const JobState& host, int number, sys::Fd socket, sys::Fd life) {
    JobState job{.shop = host.shop,
                 .order = host.order,
                 .socket = std::move(socket),
                 .life = std::move(life),
                 .bench = host.bench,
                 .image = host.image,
                 .image_root = sys::Fd{host.image_root.get()},
                 .states = host.states,
                 .guest = number,
                 .stalls = host.stalls};
    const auto open_guest = [&]() -> Result<> {
        ASSAY_CHECK(open_own_pids(job));
        ASSAY_TRY(job.group, host.group.reopened());
        // A network of its own: abstract sockets of the trusted command and of other guests do not exist in it.
        if (::unshare(CLONE_NEWNET) != 0) return sys::last_error("unshare", "guest");
        ASSAY_TRY(job.users, make_users(job.uid()));  // What is counted in one by uid is not theirs either.
        ASSAY_TRY(job.nest, job.group.make_child(guest_group(number)));
        return ok;
    };
    const Result<> opened = open_guest();
    const bool greeted = greet(job, opened);
    return opened && greeted ? serve(job) : 1;
}

}  // namespace assay::sandbox
