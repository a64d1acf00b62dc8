// What the dispatcher's handlers share. Private to the room.
//
// Two truths and their order: the store says which lease counts; the table only says until when. A grant enters the table
// after COMMIT, on the writer thread; whoever ends a session looks at the table, so a grant that finds its session gone is
// given back at once.
//
// Threading: `mutex` guards what is marked so; it is never held while calling the store or the board's listener.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "dispatch/dispatch.hh"
#include "dispatch/wire.hh"
#include "queue/line.hh"

namespace assay::dispatch {

struct Ending {
    queue::Token token;
    model::Reason reason = model::Reason::runner_lost;
    std::string detail;                   // as the job's row keeps it
    std::string partial;                  // the report of what was finished
};

// Of a job that is leased: how far its runner has told, and whether those who look have been.
struct Told {
    queue::Topic topic;
    queue::Token token;
    std::int64_t slot = 0;                // of its runner
    queue::Needs needs;                   // nothing: not known yet
    std::int64_t sequence = 0;            // of the newest event
    std::optional<sys::TimePoint> at;     // when the feed was told last
    bool untold = false;                  // more has come since
};

// A revision of which nothing starts.
struct Lacking {
    store::Standing standing;
    std::string digest;                   // of the image that is not there
};

struct Granted {
    std::optional<queue::Lease> lease;
    std::optional<std::int64_t> wake_ms;  // wall clock: when a job that backs off may start
    sys::Duration took{};                 // of the store's one writer, to look through the line
};

struct Dispatcher::Inner {
    explicit Inner(Parts p) : parts{p} {}

    Parts parts;
    loop::Bell bell;                          // something may have become startable, or a session ended

    std::mutex mutex;
    std::condition_variable changed;
    queue::LeaseTable leases;                 // guarded
    std::map<JobId, Told> told;               // guarded: of each lease
    std::vector<Ending> endings;              // guarded: leases that ended as faults and are not yet written back
    std::vector<Lacking> lacking;             // guarded
    std::size_t writes = 0;                   // guarded: changes of ours that are not yet answered
    bool draining = false;                    // guarded
    bool stopping = false;                    // guarded

    std::int64_t wall_ms() const { return sys::to_ms(parts.clock.wall()); }

    // store.write, counted. All of ours is essential: it only ends or gives back what was promised, as nothing is granted while
    // the disk is short.
    void write(store::Store::Change change, store::Store::Done done);

    void begin_session(std::int64_t epoch, int slots, model::WaitDetail why_none);
    bool live(std::int64_t epoch);
    bool holds(const queue::Token& token);
    bool drains();
    void forget(const queue::Token& token);   // its attempt has ended
    // An event of a lease. false: it is stale, or comes after a newer one. The same again changes nothing.
    bool note(EventRequest event);
    void tell_progress();                     // what was put off
    // After COMMIT: the log, the counters, and whoever shows that participant's page.
    void tell(const queue::Token& token, const queue::Ended& ended);

    void grant(std::int64_t epoch, std::int64_t slot, std::move_only_function<void(Result<Granted>)> done);
    // Every session ends; its leases become endings.
    void end_sessions(model::WaitDetailKind why);
    void end_lapsed();
    void flush_endings();
    bool end_in_slot(std::int64_t slot, const std::string& evidence);
    void cancelled(const queue::Token&);
    // Whether so much may be promised to it beside the others that run; an error that says what not. Once known, the choice sees to it.
    Result<> promise(const queue::Lease& lease, const queue::Needs& needs);
    // Whether the image is there; else nothing of the lease's revision is granted until it is.
    bool has_image(const queue::Lease& lease, const std::string& digest);
    void look_for_images();

private:
    static std::vector<store::Standing> standings_of(const std::vector<Lacking>&);
    void add_endings(const std::vector<queue::Token>& tokens, model::WaitDetailKind why);  // under the mutex
    void add_ending(const queue::Token&, model::Reason, std::string detail);               // likewise
    std::optional<queue::Lease> keep_or_return(queue::Lease lease, std::int64_t slot);
};

}  // namespace assay::dispatch
