#include "runner/session.hh"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/assert.hh"
#include "base/log.hh"
#include "http/client.hh"
#include "runner/bounds.hh"
#include "runner/fitting.hh"
#include "runner/protocol.hh"
#include "runner/revisions.hh"
#include "sys/clock.hh"
#include "sys/file.hh"
#include "sys/hangup.hh"
#include "sys/net.hh"
#include "sys/sha256.hh"

namespace assay::runner {
namespace {

using sys::Duration;
using sys::TimePoint;
using std::chrono::milliseconds;

constexpr int status_done = 200;
constexpr int status_nothing = 204;
constexpr int status_fenced = 409;

TimePoint now() { return sys::system_clock().now(); }

bool server_trouble(int status) { return status >= 500 && status <= 599; }
bool refused(int status) { return status >= 400 && status <= 499; }

Error unexpected(std::string_view what, const http::Answer& answer) {
    return {Fault::invalid, fmt::format("{}: the server answered {}: {}", what, answer.status, escaped(answer.body))};
}

Result<http::Answer> post(http::Client& client, const char* target, const std::string& body, milliseconds timeout) {
    return client.request("POST", target, "application/json", bytes_of(body), timeout);
}

// One job while it runs: how others stop it.
struct Running {
    Token token;
    std::atomic<bool> stop{false};
    sys::Fd wake_read;
    sys::Fd wake_write;  // one byte in it wakes whoever waits for the job's program

    void cancel() {
        if (!stop.exchange(true)) (void)sys::write_all(wake_write, std::string_view{"x"});
    }
};

Result<std::shared_ptr<Running>> running_job(const Token& token) {
    auto running = std::make_shared<Running>();
    running->token = token;
    ASSAY_TRY(auto ends, sys::make_pipe());
    std::tie(running->wake_read, running->wake_write) = std::move(ends);
    return running;
}

class Session {
public:
    Session(std::vector<sys::Fd> sockets, std::string name, const Evaluator& evaluate)
        : sockets_{std::move(sockets)}, name_{std::move(name)}, evaluate_{evaluate} {
        for (const sys::Fd& socket : sockets_) watched_.push_back(socket.get());
    }

    Result<> serve() {
        ASSAY_TRY(http::Client server, connection(0));
        TimePoint renewed = now();
        ASSAY_TRY(const http::Answer answer,
                  post(server, "/api/v1/runner/session", session_request(name_, slots()), answer_wait_max));
        if (answer.status != status_done) return unexpected("begin a session", answer);
        ASSAY_TRY(opened_, opened_from_json(answer.body));

        std::vector<http::Client> connections;
        for (int slot = 0; slot < slots(); ++slot) {
            ASSAY_TRY(http::Client client, connection(static_cast<std::size_t>(slot) + 1));
            connections.push_back(std::move(client));
        }
        std::vector<std::jthread> threads;  // Joined on every way out, and by then told to end.
        for (int slot = 0; slot < slots(); ++slot) {
            threads.emplace_back([this, slot, &client = connections[static_cast<std::size_t>(slot)]] { work(slot, client); });
        }
        end(beat_until_over(server, renewed));
        return ok;
    }

private:
    int slots() const { return static_cast<int>(sockets_.size()) - 1; }

    // A second descriptor for the client: ours stays open, so that it can be watched and shut down at any time.
    Result<http::Client> connection(std::size_t index) {
        ASSAY_TRY(sys::Fd socket, sys::duplicate(sockets_[index]));
        return http::Client{std::move(socket)};
    }

    // Ends everything, from any thread. Whoever waits on a connection wakes with an error.
    void end(std::string_view why) {
        if (over_.exchange(true)) return;
        log::info("runner.session_over", {{"why", why}});
        {
            const std::lock_guard lock{mutex_};
            for (const auto& [slot, running] : running_) running->cancel();
        }
        for (const sys::Fd& socket : sockets_) sys::shut_both(socket);
    }

    // --- heartbeats -------------------------------------------------------------------------------------------------

    // Returns why the session is over. `renewed`: when the last request that renewed the leases was sent.
    std::string beat_until_over(http::Client& server, TimePoint renewed) {
        TimePoint next = renewed + opened_.heartbeat;
        for (;;) {
            const auto closed = sys::wait_closed(watched_, next);
            if (over_) return "ended";
            if (!closed) return closed.error().text();
            if (*closed) return "the server closed a connection";

            const TimePoint sent = now();
            const TimePoint deadline = renewed + opened_.lease * 2 / 3;
            if (sent >= deadline) return "no heartbeat reached the server in time";
            next = sent + opened_.heartbeat;
            const auto left = std::chrono::ceil<milliseconds>(deadline - sent);
            auto answer = post(server, "/api/v1/runner/heartbeat", heartbeat_request(opened_.epoch, running_tokens()), left);
            if (!answer) return answer.error().text();
            if (answer->status == status_fenced) return "the server holds another session";
            if (server_trouble(answer->status)) continue;
            if (answer->status != status_done) return unexpected("heartbeat", *answer).text();
            auto beat = beat_from_json(answer->body);
            if (!beat) return beat.error().text();
            if (beat->drain) return "the server drains";
            drop(beat->drop);
            renewed = sent;
        }
    }

    std::vector<Token> running_tokens() {
        const std::lock_guard lock{mutex_};
        std::vector<Token> tokens;
        for (const auto& [slot, running] : running_) tokens.push_back(running->token);
        return tokens;
    }

    void drop(const std::vector<Token>& tokens) {
        const std::lock_guard lock{mutex_};
        for (const auto& [slot, running] : running_) {
            if (std::ranges::find(tokens, running->token) != tokens.end()) running->cancel();
        }
    }

    // --- one slot ---------------------------------------------------------------------------------------------------

    void work(int slot, http::Client& client) {
        while (!over_) {
            auto lease = next_lease(slot, client);
            auto done = !lease ? Result<>{lease.take_error()} : *lease ? work_on(slot, client, **lease) : Result<>{};
            if (!done) end(fmt::format("slot {}: {}", slot, done.error().text()));
        }
    }

    // nullopt: nothing now. Errors: the session is over.
    Result<std::optional<Lease>> next_lease(int slot, http::Client& client) {
        const TimePoint asked = now();
        ASSAY_TRY(const http::Answer answer, post(client, "/api/v1/runner/lease", lease_request(opened_.epoch, slot, lease_wait_max),
                                                  lease_wait_max + answer_wait_max));
        if (answer.status == status_done) {
            ASSAY_TRY(Lease lease, lease_from_json(answer.body));
            return std::optional{std::move(lease)};
        }
        if (answer.status != status_nothing && !server_trouble(answer.status)) return unexpected("ask for work", answer);
        if (now() - asked < ask_again_after) ASSAY_CHECK(pause());
        return std::optional<Lease>{};
    }

    // Lets some time pass, or notices the end.
    Result<> pause() {
        ASSAY_TRY(const bool closed, sys::wait_closed(watched_, now() + ask_again_after));
        if (closed) return Error{Fault::unreachable, "the server closed a connection"};
        return ok;
    }

    // Errors: the session is over.
    Result<> work_on(int slot, http::Client& client, const Lease& lease) {
        ASSAY_TRY(const std::shared_ptr<Running> running, running_job(lease.token));
        {
            const std::lock_guard lock{mutex_};
            running_[slot] = running;
        }
        // `end` may have looked at the jobs just before this one was among them.
        auto done = over_ ? Result<>{} : evaluate_and_report(slot, client, lease, *running);
        const std::lock_guard lock{mutex_};
        running_.erase(slot);
        return done;
    }

    Result<> evaluate_and_report(int slot, http::Client& client, const Lease& lease, Running& running) {
        ASSAY_TRY(const auto input, fetch(client, input_target(lease.token), lease.sha256, lease.size_bytes));
        if (input.fenced) return ok;
        if (!input.file) return give_up(client, lease, running, "fetch the submission: " + input.problem);
        ASSAY_TRY(const auto revision, revision_of(client, lease));
        if (!revision.file) return give_up(client, lease, running, "fetch the revision: " + revision.problem);

        std::int64_t sequence = 0;
        TimePoint last_event;
        bool waits = false;  // as was told last
        Result<> told = ok;
        const auto tell = [&](const Progress& progress) {
            const bool matters = progress.finished || progress.test.empty() || progress.reason || waits;
            if (!told || running.stop || (!matters && now() - last_event < event_gap)) return;
            last_event = now();
            waits = progress.reason.has_value();
            told = tell_event(client, running,
                              event_request(lease.token, ++sequence, progress.stage, progress.test,
                                            finished_json(progress), progress.reason));
            if (!told) running.cancel();
        };
        const Work work{lease.plan, input.file->get(), revision.file->get()};
        auto evaluated = evaluate_(slot, work, running.stop, running.wake_read.get(), tell);
        ASSAY_CHECK(std::move(told));
        if (running.stop) return ok;
        if (!evaluated) {
            ASSAY_CHECK(give_up(client, lease, running, evaluated.error().text()));
            if (evaluated.error().fault() == Fault::unreachable) return evaluated.take_error();
            return ok;
        }
        evaluated->runner = name_;
        const std::string verdict = report_request(lease.token, fitting_json(std::move(*evaluated)));
        ASSAY_TRY(const auto refusal, report(client, lease.token, running, verdict));
        if (refusal) return give_up(client, lease, running, unexpected("give the report", *refusal).text());
        return ok;
    }

    // Empty when nothing has finished.
    static std::string finished_json(const Progress& progress) {
        if (!progress.finished) return {};
        model::Report report;
        report.stages.push_back(*progress.finished);
        return fitting_json(std::move(report), event_report_bytes_max);
    }

    // An infrastructure fault of this attempt.
    Result<> give_up(http::Client& client, const Lease& lease, Running& running, const std::string& why) {
        log::warn("runner.attempt_failed", {{"submission", lease.submission}, {"attempt", lease.token.attempt}, {"why", why}});
        ASSAY_TRY(const auto refusal, report(client, lease.token, running, fault_request(lease.token, why)));
        if (refusal) return unexpected("give a fault", *refusal);
        return ok;
    }

    Result<> tell_event(http::Client& client, Running& running, const std::string& body) {
        ASSAY_TRY(const http::Answer answer, post(client, "/api/v1/runner/events", body, answer_wait_max));
        if (answer.status == status_fenced) {
            running.cancel();
        } else if (answer.status != status_nothing && answer.status != status_done && !server_trouble(answer.status)) {
            return unexpected("tell an event", answer);
        }
        return ok;
    }

    // Gives a verdict or a fault to the server, as often as it takes for a server that is in trouble for a while. Returns the
    // answer of a server that does not take it as it is; nothing when it is delivered or no longer wanted.
    Result<std::optional<http::Answer>> report(http::Client& client, const Token& token, Running& running, const std::string& body) {
        for (int tries = 1; !running.stop; ++tries) {
            ASSAY_TRY(http::Answer answer, post(client, "/api/v1/runner/result", body, answer_wait_max));
            if (answer.status == status_done) break;
            if (answer.status == status_fenced) {
                log::warn("runner.result_fenced", {{"job", token.job}, {"attempt", token.attempt}});
                break;
            }
            if (refused(answer.status)) return std::optional{std::move(answer)};
            if (!server_trouble(answer.status) || tries == result_tries_max) return unexpected("give a result", answer);
            ASSAY_CHECK(pause());
        }
        return std::optional<http::Answer>{};
    }

    // --- blobs ------------------------------------------------------------------------------------------------------

    struct Fetched {
        std::shared_ptr<const sys::Fd> file;  // empty: see the next two
        bool fenced = false;
        std::string problem;                  // the server has no such bytes, or wrong ones
        std::int64_t size_bytes = 0;
    };

    // Errors: the connection is spent.
    Result<Fetched> fetch(http::Client& client, const std::string& target, const std::string& sha256, std::int64_t size_bytes_max) {
        ASSAY_TRY(sys::Fd file, sys::memory_file("blob", {}, false));
        Fetched fetched;
        sys::Sha256 sum;
        const auto sink = [&](ByteView bytes) -> Result<> {
            fetched.size_bytes += static_cast<std::int64_t>(bytes.size());
            if (fetched.size_bytes > std::max<std::int64_t>(size_bytes_max, small_answer_bytes_max)) {
                return Error{Fault::too_large, "the server sends more than it announced"};
            }
            sum.add(bytes);
            return sys::write_all(file, bytes);
        };
        ASSAY_TRY(const http::Answer answer, client.download(target, answer_wait_max, sink));
        if (answer.status == status_fenced) {
            fetched.fenced = true;
        } else if (answer.status != status_done) {
            fetched.problem = fmt::format("the server answered {}", answer.status);
        } else if (std::move(sum).hex() != sha256) {
            fetched.problem = "the bytes received do not have the digest " + sha256;
        } else {
            ASSAY_CHECK(sys::seal_memory_file(file));
            fetched.file = std::make_shared<const sys::Fd>(std::move(file));
        }
        return fetched;
    }

    Result<Fetched> revision_of(http::Client& client, const Lease& lease) {
        Fetched fetched;
        fetched.file = revisions_.find(lease.revision_digest);
        if (fetched.file) return fetched;
        ASSAY_TRY(fetched, fetch(client, revision_target(lease.revision_digest), lease.revision_digest, revision_bytes_max));
        if (fetched.file) revisions_.keep(lease.revision_digest, fetched.file, fetched.size_bytes);
        return fetched;
    }

    const std::vector<sys::Fd> sockets_;
    std::vector<int> watched_;
    const std::string name_;
    const Evaluator& evaluate_;
    Opened opened_;
    std::atomic<bool> over_{false};
    Revisions revisions_{revisions_kept_bytes_max};
    std::mutex mutex_;
    std::map<int, std::shared_ptr<Running>> running_;  // by slot
};

}  // namespace

Result<> serve_leases(std::vector<sys::Fd> sockets, const std::string& name, const Evaluator& evaluate) {
    ASSAY_ASSERT(sockets.size() >= 2);
    ASSAY_ASSERT(sockets.size() <= sys::watched_sockets_max);
    Session session{std::move(sockets), name, evaluate};
    return session.serve();
}

}  // namespace assay::runner
