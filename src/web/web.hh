// Web: pages. Shows, never decides. Templates escape by type (html.hh); works without JavaScript; every sentence comes from
// `wording`.
#pragma once

#include <string>

#include "http/message.hh"
#include "loop/loop.hh"
#include "queue/board.hh"
#include "store/keys.hh"
#include "store/store.hh"

namespace assay::web {

struct Parts {
    store::Store& store;
    const store::Keys& keys;
    const queue::Board& board;
    loop::Pool& pages;
    std::string server_url;
};

// GET /, POST / (token → 303 to the participant's page), GET /oj/{course}/{module}/{key}, GET /static/{file}.
void add_routes(http::Router&, Parts&);

}  // namespace assay::web
