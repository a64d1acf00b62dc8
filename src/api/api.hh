// Api: JSON for programs, and staff's admin socket. Shows and hands on; decides nothing.
#pragma once

#include <functional>
#include <string>

#include "course/course.hh"
#include "http/message.hh"
#include "loop/loop.hh"
#include "queue/board.hh"
#include "store/blobs.hh"
#include "store/keys.hh"
#include "store/store.hh"

namespace assay::api {

struct Parts {
    store::Store& store;
    store::Blobs& revisions;
    const store::Keys& keys;
    queue::Board& board;
    loop::Pool& pages;           // reads
    loop::Pool& disk;            // admin writes
    const sys::Clock& clock;
    std::string server_url;
    course::Machine machine;
    std::function<std::string()> not_ready;  // empty = ready; else why (/readyz answers 503 with it)
};

// GET /api/v1/submissions/{id}[/report|/log|/receipt], /api/v1/receipt-keys, /healthz, /readyz.
void add_public_routes(http::Router&, Parts&);

// On admin.sock alone (peer: the owner or root): POST /admin/course/apply[?dry_run=1] (tar), GET /admin/courses,
// POST /admin/roster/{course} (CSV), GET /admin/roster/{course}, GET /healthz, /readyz.
void add_admin_routes(http::Router&, Parts&);

}  // namespace assay::api
