// The server's side of the verifiers. What bounds an archive is measured from here, by the process's own clock of the kernel,
// so that a verifier that was taken over can neither spend more nor charge it to another archive.
#include "archive/verifiers.hh"

#include <algorithm>
#include <array>
#include <csignal>

#include <fmt/format.h>

#include "archive/verify.hh"
#include "base/assert.hh"
#include "base/log.hh"
#include "base/metrics.hh"
#include "sys/child.hh"
#include "sys/file.hh"
#include "sys/socket.hh"

namespace assay::archive {
namespace {

constexpr std::chrono::milliseconds cpu_step_min{1};   // between two looks at a process that is near its bound
constexpr std::chrono::milliseconds end_max{1000};     // from a closed socket to the end of its process
constexpr int fresh_max = 2;                           // processes for one archive, when the first is killed from outside

struct Work {
    int archive;
    std::string rules;  // one line
    std::chrono::milliseconds cpu_max;
    std::chrono::milliseconds wall_max;
};

Verdict ended_by(ArchiveFault fault, std::string limit) {
    return {.manifest = {}, .refused = Refused{.fault = fault, .arguments = {std::move(limit)}}};
}

bool accepted(const Result<Verdict>& said) { return said && (*said).manifest; }
bool accepted_and_no_more(const Result<Verdict>& said) { return accepted(said) && (*said).manifest->names_converted == 0; }

// Neither the archive nor we: the one end after which a fresh verifier gets the same archive.
bool from_outside(const Result<Verdict>& said) { return !said && said.error().fault() == Fault::unreachable; }

// What a verifier that gave no answer died of.
Result<Verdict> verdict_of_death(const sys::Exit& exit) {
    if (!exit.signalled && exit.code == exit_out_of_memory) return out_of_memory();
    if (!exit.signalled) return Error{Fault::internal, fmt::format("a verifier exited with {} and gave no answer", exit.code)};
    // No limit of a verifier sends it: somebody did, or the kernel for want of memory elsewhere.
    if (exit.code == SIGKILL) return Error{Fault::unreachable, "a verifier was killed from outside"};
    log::warn("verifier.crashed", {{"signal", exit.code}});
    return ended_by(ArchiveFault::reading_crashed, std::to_string(exit.code));
}

}  // namespace

Verdict out_of_memory() { return ended_by(ArchiveFault::reading_memory, size_text(verifier_memory_max)); }

// One verifier, whoever has it.
class Verifiers::Process {
public:
    static Result<std::unique_ptr<Process>> start() {
        static metrics::Counter& started = metrics::registry().counter("assay_verifiers_started_total", "Verifier processes that were started.");
        ASSAY_TRY(auto pair, sys::socket_pair(sys::PairKind::stream));
        ASSAY_TRY(auto lifeline, sys::make_pipe());
        sys::ChildSpec spec;
        spec.arguments = {"verifier"};
        spec.descriptors = {-1, -1, 2, pair.second.get(), lifeline.first.get()};
        ASSAY_TRY(sys::Child child, sys::Child::start(spec));
        started.add();
        return std::make_unique<Process>(std::move(child), std::move(pair.first), std::move(lifeline.second));
    }
    Process(sys::Child child, sys::Fd socket, sys::Fd lifeline)
        : child_{std::move(child)}, socket_{std::move(socket)}, lifeline_{std::move(lifeline)} {}

    Result<Verdict> judge(const Work& work) {
        const sys::TimePoint deadline = sys::system_clock().now() + work.wall_max;
        const sys::Duration cpu_until = child_.cpu_time() + work.cpu_max;
        ++archives_;
        if (!send(work, deadline)) return verdict_of_end();
        std::string answer;
        std::array<std::byte, 4096> part;
        while (!answer.ends_with('\n')) {
            ASSAY_TRY(const End end, wait(deadline, cpu_until));
            if (end == End::cpu) return ended_by(ArchiveFault::reading_time, fmt::format("{:.1f}", static_cast<double>(work.cpu_max.count()) / 1000));
            if (end == End::wall) return Error{Fault::busy, fmt::format("the machine did not get to checking an archive within {} ms", work.wall_max.count())};
            const auto count = sys::read_some(socket_, part);
            if (!count || *count == 0) return verdict_of_end();
            answer += text_of(ByteView{part}.first(*count));
            if (answer.size() > answer_bytes_max) return Error{Fault::internal, "a verifier's answer is too long"};
        }
        return answer_from_json(answer);
    }

    // Waiting for an archive, as it should: it has neither ended nor said what nobody asked for.
    bool waits() const {
        const auto said = sys::wait_readable(socket_, {});
        return said && !*said;
    }
    int archives() const { return archives_; }
    int pid() const { return child_.pid(); }
    // From any thread, also while another one waits for its answer.
    void end() { lifeline_.reset(); }

private:
    enum class End { answered, cpu, wall };

    bool send(const Work& work, sys::TimePoint deadline) {
        const ByteView line = bytes_of(work.rules);
        const ByteView head = line.first(std::min(line.size(), request_head_bytes_max));
        const int archive[] = {work.archive};
        if (!sys::send_message(socket_, head, archive)) return false;
        if (head.size() == line.size()) return true;
        // Rarely; and one that was taken over may never read it.
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - sys::system_clock().now());
        return sys::set_timeouts(socket_, left) && sys::write_all(socket_, line.subspan(head.size()));
    }

    // It has one thread, so it cannot be over its bound before as much time went by as it has left.
    Result<End> wait(sys::TimePoint deadline, sys::Duration cpu_until) const {
        for (;;) {
            const sys::TimePoint now = sys::system_clock().now();
            const sys::Duration left = cpu_until - child_.cpu_time();
            ASSAY_TRY(const bool ready, sys::wait_readable(socket_, std::min(deadline, now + std::max<sys::Duration>(left, cpu_step_min))));
            if (ready) return End::answered;
            if (child_.cpu_time() >= cpu_until) return End::cpu;
            if (sys::system_clock().now() >= deadline) return End::wall;
        }
    }

    Result<Verdict> verdict_of_end() {
        const auto exit = child_.wait_until(sys::system_clock().now() + end_max);
        if (!exit) return Error{Fault::internal, "a verifier does not listen any more, and did not end"};
        return verdict_of_death(*exit);
    }

    sys::Child child_;  // Its destructor ends and reaps it.
    sys::Fd socket_;
    sys::Fd lifeline_;  // the one writing end
    int archives_ = 0;
};

// The right to have one verifier work, and that verifier when there is one. Given back when it goes; the verifier too, when it
// is still there and may be used again.
class Verifiers::Seat {
public:
    explicit Seat(Verifiers& house) : house_{&house} {}
    Seat(Seat&& other) noexcept : house_{std::exchange(other.house_, nullptr)}, process_{std::move(other.process_)} {}
    Seat& operator=(Seat&&) = delete;
    ~Seat() {
        if (house_ == nullptr) return;
        auto kept = leave(process_ && process_->archives() < house_->limits_.archives_max);
        {
            const std::scoped_lock lock{house_->mutex_};
            if (kept && !house_->stopping_) house_->idle_.push_back(std::move(kept));
            --house_->working_;
        }
        house_->freed_.notify_one();
    }

    static Result<Seat> take(Verifiers& house, sys::TimePoint start_by) {
        std::unique_lock lock{house.mutex_};
        const auto free = [&] { return house.stopping_ || house.working_ < house.limits_.processes_max; };
        if (!house.freed_.wait_until(lock, start_by, free)) return Error{Fault::busy, "no verifier was free in time"};
        if (house.stopping_) return stopping();
        ++house.working_;
        Seat seat{house};
        if (house.idle_.empty()) return seat;
        seat.process_ = std::move(house.idle_.back());
        house.idle_.pop_back();
        house.busy_.insert(seat.process_.get());
        return seat;
    }

    bool has_used() const { return process_ && process_->waits(); }

    Result<> start() {
        ASSAY_TRY(auto fresh, Process::start());
        const std::scoped_lock lock{house_->mutex_};
        if (house_->stopping_) return stopping();
        house_->busy_.insert(fresh.get());
        process_ = std::move(fresh);
        return ok;
    }
    // Whoever is not believed again ends before the next one starts.
    Result<Verdict> judge(const Work& work) {
        auto said = process_->judge(work);
        if (!accepted(said)) leave(false);
        const std::scoped_lock lock{house_->mutex_};
        if (house_->stopping_ && !accepted(said)) return stopping();
        return said;
    }
    void end() { leave(false); }

private:
    static Error stopping() { return {Fault::interrupted, "the server is stopping"}; }

    // Out of reach of stop(), and ended if it is not to be kept.
    std::unique_ptr<Process> leave(bool keep) {
        auto process = std::move(process_);
        {
            const std::scoped_lock lock{house_->mutex_};
            house_->busy_.erase(process.get());
        }
        if (!keep) process.reset();
        return process;
    }

    Verifiers* house_;
    std::unique_ptr<Process> process_;
};

Verifiers::Verifiers(const VerifierLimits& limits) : limits_{limits} {
    ASSAY_ASSERT(limits.processes_max >= 1);
    ASSAY_ASSERT(limits.archives_max >= 1);
}

Verifiers::~Verifiers() { ASSAY_ASSERT(working_ == 0); }

Result<Verdict> Verifiers::verify(const sys::Fd& archive, const model::UploadRules& rules, sys::TimePoint start_by) {
    ASSAY_TRY(const sys::FileInfo info, sys::info_of(archive));
    const Work work{archive.get(), model::to_json(rules) + "\n", verifier_cpu_max(info.size), limits_.wall_max};
    if (work.rules.size() > rules_bytes_max) return Error{Fault::too_large, "a module's upload rules are too long to be handed on"};
    ASSAY_TRY(Seat seat, Seat::take(*this, start_by));
    if (seat.has_used()) {
        if (auto said = seat.judge(work); accepted_and_no_more(said)) return said;
    }
    seat.end();
    for (int fresh = 1;; ++fresh) {
        ASSAY_CHECK(seat.start());
        auto said = seat.judge(work);
        if (!from_outside(said)) return said;
        log::warn("verifier.killed");
        if (fresh == fresh_max) return Error{Fault::busy, said.error().text() + ", twice for one archive"};
    }
}

void Verifiers::stop() {
    std::vector<std::unique_ptr<Process>> idle;
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
        idle.swap(idle_);
        for (Process* const process : busy_) process->end();
    }
    freed_.notify_all();
}

Verifiers::Present Verifiers::present() const {
    const std::scoped_lock lock{mutex_};
    Present present{.idle_pids = {}, .busy_pids = {}, .working = working_};
    for (const auto& process : idle_) present.idle_pids.push_back(process->pid());
    for (const Process* const process : busy_) present.busy_pids.push_back(process->pid());
    return present;
}

}  // namespace assay::archive
