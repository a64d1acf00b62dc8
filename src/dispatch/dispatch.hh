// Dispatch: the server's side of the runner protocol (docs/formats/runner-protocol.md). It alone turns a poll into a lease and
// a report into a verdict, each one conditional transaction.
#pragma once

#include <memory>
#include <string>

#include "http/message.hh"
#include "loop/loop.hh"
#include "queue/board.hh"
#include "queue/leases.hh"
#include "store/blobs.hh"
#include "store/store.hh"

namespace assay::dispatch {

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
    };
    explicit Dispatcher(Parts);
    ~Dispatcher();

    void add_routes(http::Router&);

    // The runner's process or its connections are gone: its leases end now, as faults, unless we are draining.
    void runner_lost(const std::string& details);
    // SIGTERM: grants nothing more; running jobs go back as `cut`. Blocks until that is committed or the deadline passed.
    void drain(sys::TimePoint deadline);

private:
    struct Inner;
    std::shared_ptr<Inner> inner_;
};

}  // namespace assay::dispatch
