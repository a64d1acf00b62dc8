// ModuleRoute: GET /oj/{course}/{module}/{key} and its /events, answered from memory while nothing has changed.
//
// A page that is in memory costs a look into it: neither the pool, nor the store, nor the lookup of whose key it is.
// Threading: safe from every loop.
#pragma once

#include "http/events.hh"
#include "web/page_cache.hh"
#include "web/places.hh"
#include "web/web.hh"

namespace assay::web {

constexpr int page_streams_max = 4096;
constexpr std::int64_t waiting_page_age_ms = 1'000;  // of a page that shows a place in line

class ModuleRoute {
public:
    explicit ModuleRoute(Parts& parts) : parts_{parts}, cache_{parts.board.feed(), parts.clock, parts.pages} {}

    loop::Task<http::Response> page(http::Request request);
    loop::Task<http::Response> events(http::Request request);

private:
    // What of a request decides how the page looks.
    struct Variant {
        std::vector<std::string> captures;
        std::optional<Language> language;   // nullopt: the course's
        bool chosen = false;
        std::optional<std::string> submitted;
        std::optional<std::string> shown;
        bool still = false;

        std::string key() const;
    };
    static Variant variant_of(http::Request& request);
    loop::Task<Result<PagePtr>> get(Variant variant);
    static loop::Task<Result<http::Event>> event_of(loop::Task<Result<PagePtr>> getting, std::shared_ptr<queue::Board::Following> following);
    Result<Page> render(const Variant& variant, const std::optional<queue::Topic>& known);

    Parts& parts_;
    PageCache cache_;
    http::EventStreams streams_{page_streams_max};
};

}  // namespace assay::web
