// Web: pages. Shows, never decides. Templates escape by type (html.hh); works without JavaScript; every sentence comes from
// `wording`.
#pragma once

#include <optional>
#include <string>

#include "base/ids.hh"
#include "http/message.hh"
#include "loop/loop.hh"
#include "queue/board.hh"
#include "store/keys.hh"
#include "store/store.hh"
#include "sys/clock.hh"

namespace assay::web {

struct Parts {
    store::Store& store;
    const store::Keys& keys;
    queue::Board& board;
    loop::Pool& pages;
    std::string server_url;
    std::string clients = {};  // the folder of the ready-made clients (clients.hh); "" offers none
    const sys::Clock& clock = sys::system_clock();
};

// Whose page a browser is led back to.
struct Back {
    CourseId course;
    ModuleId module;
    std::string key;
};
// A refused upload as a page, for a browser. Pure.
http::Response refusal_answer(const http::Request&, int status, const std::string& sentence, const std::optional<Back>&);

// GET /, POST / (token → 303 to the participant's page, or a list when there are several), GET /oj/{course}/{module}/{key} and its
// /events, GET /oj/{course}/{module}/{key}/receipt/{id} (the exact signed bytes: a browser has no bearer token), GET /get and
// the clients under it, GET /static/{file}.
// `Parts` outlive the server.
void add_routes(http::Router&, Parts&);

}  // namespace assay::web
