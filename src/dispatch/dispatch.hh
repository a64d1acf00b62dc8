// Dispatch: the server's side of the runner protocol (docs/formats/runner-protocol.md). It alone turns a poll into a lease and
// a report into a verdict, each one conditional transaction.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "http/message.hh"
#include "loop/loop.hh"
#include "queue/board.hh"
#include "queue/leases.hh"
#include "store/blobs.hh"
#include "store/store.hh"

namespace assay::dispatch {

constexpr std::chrono::seconds lapse_check_every{1};
constexpr std::chrono::milliseconds poll_wait_max{20'000};
constexpr int empty_look_pause_times = 60;                 // as long as a look that found nothing took, before a slot looks again
constexpr std::chrono::milliseconds empty_look_pause_max{200};
constexpr std::size_t request_bytes_max = 64u << 10;       // of every request but an event and a result
constexpr std::size_t event_bytes_max = 256u << 10;
constexpr std::chrono::milliseconds progress_told_every{500};  // of one job, to whoever shows it; the last one always is
constexpr std::size_t input_bytes_max = 1u << 30;          // of a submission handed to a runner
constexpr std::size_t revision_bytes_max = 256u << 20;
constexpr int slots_max = 1024;                            // of one session
constexpr std::size_t running_max = 4096;                  // tokens in a heartbeat

class Dispatcher {
public:
    struct Parts {
        store::Store& store;
        store::Blobs& blobs;
        store::Blobs& revisions;
        queue::Board& board;
        loop::Loops& loops;
        loop::Pool& disk;
        const sys::Clock& clock;
        std::function<bool(const std::string& digest)> has_image = {};  // safe from every thread; empty: all are there
        // Told of each lease that was granted, with its runner's slot, and of each attempt's end: "passed" …, "back" when the job
        // waits again, "cancelled". On any thread; must not wait.
        std::function<void(JobId, std::int64_t slot)> on_start = {};
        std::function<void(JobId, std::string_view verdict)> on_end = {};
    };
    explicit Dispatcher(Parts);  // `Parts` outlive it
    ~Dispatcher();               // waits for its own changes to be written
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    void add_routes(http::Router&);

    // The runner's process or its connections are gone: its leases end now, as faults, unless we are draining.
    void runner_lost(model::WaitDetailKind why);
    // Memory runs out, and the job in this slot of the local runner is the cause: its lease ends now, as a fault with the reason
    // `pressure`, so that nothing its runner still reports counts. `evidence`: for staff. false: none runs there.
    bool end_in_slot(int slot, const std::string& evidence);
    // Staff cancelled what this lease is of, and that is committed: its runner hears so at its next word, and nothing it reports counts.
    void cancelled(const queue::Token&);
    // SIGTERM: grants nothing more; running jobs go back as `cut`. Blocks until that is committed or the deadline passed.
    void drain(sys::TimePoint deadline);
    // Gives back every lease whose deadline has passed. Happens by itself every `lapse_check_every`.
    void end_lapsed();
    // Lets those start whose image has come. Happens by itself every `lapse_check_every`.
    void look_for_images();

    struct Inner;  // of the room's own

private:
    std::shared_ptr<Inner> inner_;
    std::thread keeper_;
};

}  // namespace assay::dispatch
