// Api: JSON for programs, and staff's admin socket. Shows and hands on; decides nothing.
#pragma once

#include <functional>
#include <string>

#include "course/course.hh"
#include "http/message.hh"
#include "image/image.hh"
#include "loop/loop.hh"
#include "queue/board.hh"
#include "queue/line.hh"
#include "store/blobs.hh"
#include "store/keys.hh"
#include "store/store.hh"

namespace assay::api {

struct Parts {
    store::Store& store;
    store::Blobs& revisions;
    image::Library& images;
    store::Keys& keys;
    queue::Board& board;
    loop::Pool& pages;           // reads
    loop::Pool& disk;            // admin writes
    const sys::Clock& clock;
    std::string server_url;
    course::Machine machine;
    std::function<std::string()> not_ready;  // empty = ready; else why (/readyz answers 503 with it)
    std::function<std::string()> degraded;   // of one that is ready: what of it does not work, for /readyz; empty: all does
    std::function<std::int64_t()> verify_oldest_ms;  // for /metrics: of the upload that waits longest to be verified
    std::function<void(const queue::Token&)> on_cancelled = {};  // of a lease that is void now; on a disk thread
};

// GET /api/v1/submissions/{id}[/report|/log|/receipt|/events] with `Authorization: Bearer TOKEN` of its participant, /api/v1/limits,
// /api/v1/{receipt,commitment}-keys, /api/v1/probe, /healthz, /readyz; any other path below /api is a problem+json 404. `Parts` outlive
// the server.
void add_public_routes(http::Router&, Parts&);

// On admin.sock alone (peer: the owner or root): POST /admin/course/apply[?dry_run=1][&json=1] (tar), GET /admin/courses,
// POST /admin/roster/{course}[?json=1][&sync=1] (CSV), POST /admin/roster/{course}/preview (CSV: whom sync would leave out),
// GET /admin/archives/{course}[?module=MODULE][&all=1], GET /admin/roster/{course}, POST /admin/roster/{course}/{token,key}-reset?id=ID, POST
// /admin/roster/{course}/extend?id=ID&module=MODULE&until=TIME, GET /admin/keys, POST /admin/keys/{receipt,commitment}/rotate[?json=1], GET /admin/images, POST /admin/images/{name}/remove, GET /admin/queue, POST
// /admin/modules/{course}/{module}/{pause,resume}, POST /admin/modules/{course}/{module}/rejudge[?verdict=WORD], POST /admin/submissions/{id}/{hold,release,cancel,rejudge},
// GET /metrics, /healthz, /readyz. An answer's body is what the command prints; a refusal is problem+json with it as `detail`.
void add_admin_routes(http::Router&, Parts&);
// Metrics and health alone, for whoever reaches the address that they are on.
void add_ops_routes(http::Router&, Parts&);

}  // namespace assay::api
