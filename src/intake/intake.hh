// Intake: upload → verify → keep → enqueue → receipt. The receipt is the product's promise; it is given after COMMIT returned.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "archive/verifiers.hh"
#include "course/plan_cache.hh"
#include "http/message.hh"
#include "intake/budget.hh"
#include "intake/spool.hh"
#include "intake/verify_line.hh"
#include "loop/loop.hh"
#include "queue/board.hh"
#include "store/keys.hh"
#include "store/partials.hh"
#include "store/space.hh"
#include "store/store.hh"

namespace assay::intake {

struct IntakeConfig {
    std::int64_t form_overhead_max = 64LL << 10;   // of a multipart body beyond the file
    std::int64_t size_max_default = 12LL << 20;    // announced limit while no module is open
    std::size_t field_bytes_max = 1024;            // of token, course, module
    std::chrono::seconds verify_wait_max{120};     // for a turn, and a verifier; then 503 busy
};

// Whose upload it was, once that is known: for the way back to the page.
struct Sender {
    CourseId course;
    ModuleId module;
    std::string key;
};
// Pages are another room's; `serve` hands over how one is made.
using RefusalPage = std::function<http::Response(const http::Request&, int status, const std::string& sentence, const std::optional<Sender>&)>;

// Everything intake needs of the rest; all of it outlives the server.
struct Parts {
    store::Store& store;
    store::Space& space;
    Spools& spools;
    Budget& budget;             // of bytes under way
    store::Partials& partials;  // uploads in parts
    const store::Keys& keys;
    queue::Board& board;
    loop::Pool& receiving;       // from sockets to files: hashing and writing keep a core busy, so a thread per core
    loop::Pool& disk;            // what waits for the disk: syncs, reads
    VerifyLine& verify_line;     // as many seats as verifiers may run at once
    loop::Pool& verifying;       // a thread for each seat
    archive::Verifiers& verifiers;
    const sys::Clock& clock;
    course::PlanCache& plans;
    std::string server_url;      // for receipts and links
    RefusalPage refusal_page;    // of a browser's upload
    IntakeConfig config{};
};

// Adds POST /upload, POST /api/v1/submissions (and the 405 of their other methods), uploads in parts (resume.hh) and commitments (commit.hh). `parts` must outlive the router's server.
void add_routes(http::Router&, Parts&);

}  // namespace assay::intake
