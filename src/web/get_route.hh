// GetRoute: GET /get, how to hand in from a command line, and the ready-made clients: /get/{file}, and /get/{sha256}/{file}, which
// a browser may keep for ever. Threading: safe from every loop.
#pragma once

#include "web/clients.hh"
#include "web/places.hh"
#include "web/web.hh"

namespace assay::web {

class GetRoute {
public:
    explicit GetRoute(Parts& parts) : parts_{parts}, clients_{parts.clients} {}

    loop::Task<http::Response> page(http::Request request);
    loop::Task<http::Response> file(http::Request request);         // {file}
    loop::Task<http::Response> file_hashed(http::Request request);  // {sha256}/{file}

private:
    // nullptr: not offered. Errors: busy (the pool).
    loop::Task<Result<std::shared_ptr<const Client>>> find(std::string name);
    std::optional<OfferedClient> offered(ClientFor system);

    Parts& parts_;
    Clients clients_;
};

}  // namespace assay::web
