// Intake: upload → verify → keep → enqueue → receipt. The receipt is the product's promise; it is given after COMMIT returned.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "http/message.hh"
#include "loop/loop.hh"
#include "queue/board.hh"
#include "store/blobs.hh"
#include "store/keys.hh"
#include "store/store.hh"

namespace assay::intake {

struct IntakeConfig {
    int uploads_in_flight_max = 256;               // more: 503 busy with Retry-After
    std::int64_t form_overhead_max = 64LL << 10;   // of a multipart body beyond the file
    std::int64_t size_max_default = 12LL << 20;    // announced limit while no module is open
    std::size_t field_bytes_max = 1024;            // of token, course, module
};

// Everything intake needs of the rest; all of it outlives the server.
struct Parts {
    store::Store& store;
    store::Blobs& blobs;
    const store::Keys& keys;
    queue::Board& board;
    loop::Pool& disk;            // blocking writes and syncs
    loop::Pool& verifiers;       // one thread per verifier that may run at once
    std::string server_url;      // for receipts and links
    IntakeConfig config{};
};

// Adds POST /upload (and the 405 of its other methods).
void add_routes(http::Router&, Parts&);

}  // namespace assay::intake
