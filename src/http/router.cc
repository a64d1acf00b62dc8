#include <algorithm>
#include <array>

#include "http/message.hh"

namespace assay::http {
namespace {

constexpr std::size_t method_shown_max = 16;
constexpr double response_bounds_s[] = {50e-6, 100e-6, 200e-6, 500e-6, 1e-3, 2e-3, 3e-3, 5e-3,  7e-3, 10e-3,
                                        15e-3, 20e-3, 30e-3, 50e-3, 70e-3, 0.1, 0.2, 0.5, 1, 5};

std::vector<std::string_view> parts_of(std::string_view path) {
    return split(path.substr(path.starts_with('/') ? 1 : 0), '/');
}

// What every request is looked up by, without memory of its own. A path with more parts than any route has fits none.
struct Given {
    explicit Given(std::string_view path) {
        path.remove_prefix(path.starts_with('/') ? 1 : 0);
        for (;;) {
            const std::size_t slash = path.find('/');
            if (count == route_parts_max) {
                count = route_parts_max + 1;
                return;
            }
            parts[count++] = path.substr(0, slash);
            if (slash == std::string_view::npos) return;
            path.remove_prefix(slash + 1);
        }
    }
    std::array<std::string_view, route_parts_max> parts;
    std::size_t count = 0;
};

loop::Task<Response> given(Response response) { co_return response; }

Response nothing_there() { return problem(404, "not_found", "there is nothing under this address", "compare the address with where you have it from"); }

Response other_methods(std::string_view method, const std::string& allow) {
    return problem(405, "method", "this address does not take " + escaped(method.substr(0, method_shown_max)), "use one of: " + allow)
        .with("Allow", allow);
}

}  // namespace

Answered::Answered(std::string_view route) {
    constexpr std::string_view classes[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
    for (std::size_t i = 0; i < by_class_.size(); ++i) {
        by_class_[i] = &metrics::registry().counter("assay_http_requests_total", "Answers by route template and class of status.",
                                                    {{"route", route}, {"class", classes[i]}});
    }
    seconds_ = &metrics::registry().histogram("assay_http_response_seconds", "From a whole header to its answer, by route template; no streams.",
                                              response_bounds_s, {{"route", route}});
}

void Answered::took(double s) const { seconds_->observe(s); }

void Answered::count(int status) const {
    const int index = status / 100 - 1;
    if (index >= 0 && index < 5) by_class_[static_cast<std::size_t>(index)]->add();
}

// A pattern's literal parts win over captures, the leftmost difference deciding.
bool Router::Route::more_literal(const Route& than) const {
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].capture != than.parts[i].capture) return than.parts[i].capture;
    }
    return false;
}

bool Router::Route::fits(std::span<const std::string_view> given) const {
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (parts[i].capture ? given[i].empty() : parts[i].text != given[i]) return false;
    }
    return true;
}

void Router::add(std::string method, std::string pattern, Handler handler) {
    ASSAY_ASSERT(pattern.starts_with('/'));
    const Answered answered{pattern};
    Route route{std::move(method), std::move(pattern), {}, std::move(handler), answered};
    for (const std::string_view part : parts_of(route.pattern)) route.parts.push_back({std::string{part}, part.starts_with('{')});
    ASSAY_ASSERT(route.parts.size() <= route_parts_max);
    auto& alike = by_parts_[route.parts.size()];
    const auto behind = std::ranges::find_if(alike, [&](const Route& other) { return route.more_literal(other); });
    alike.insert(behind, std::move(route));
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
    const Given given{path};
    Match match;
    if (given.count > route_parts_max) return match;
    const std::span<const std::string_view> parts = std::span{given.parts}.first(given.count);
    // The most literal pattern that fits, then among its methods: the named one, GET for HEAD, any.
    const auto& alike = by_parts_[given.count];
    const auto nearest = std::ranges::find_if(alike, [&](const Route& route) { return route.fits(parts); });
    if (nearest == alike.end()) return match;
    match.pattern = nearest->pattern;
    match.answered = &nearest->answered;

    const auto rivals = [&](const Route& route) { return !nearest->more_literal(route) && route.fits(parts); };
    const Route* chosen = nullptr;
    int rank = 0;
    for (auto route = nearest; route != alike.end() && rank < 3; ++route) {
        const int own = route->method == method                      ? 3
                        : method == "HEAD" && route->method == "GET" ? 2
                        : route->method == "*"                       ? 1
                                                                     : 0;
        if (own <= rank || !rivals(*route)) continue;
        rank = own;
        chosen = &*route;
    }
    if (chosen == nullptr) {
        for (auto route = nearest; route != alike.end(); ++route) {
            if (!rivals(*route)) continue;
            match.allow += (match.allow.empty() ? "" : ", ") + route->method;
            if (route->method == "GET") match.allow += ", HEAD";
        }
        return match;
    }
    match.handler = &chosen->handler;
    match.captures.reserve(given.count);
    for (std::size_t i = 0; i < given.count; ++i) {
        if (chosen->parts[i].capture) match.captures.emplace_back(given.parts[i]);
    }
    return match;
}

void Router::keep(std::string folder, Keeper keeper) {
    const auto behind = std::ranges::find_if(keepers_, [&](const auto& other) { return other.first.size() < folder.size(); });
    keepers_.emplace(behind, std::move(folder), std::move(keeper));
}

const Router::Reply* Router::reply(std::string_view path, Reply Keeper::* which) const {
    for (const auto& [folder, keeper] : keepers_) {
        const bool inside = path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
        if (inside && keeper.*which) return &(keeper.*which);
    }
    return nullptr;
}

loop::Task<Response> Router::answer(Match& match, Request request, Reader& reader) const {
    if (secret_in_query(request)) {
        if (const Reply* const refuse = reply(request.path, &Keeper::secret)) return given((*refuse)(request));
    }
    request.captures = std::move(match.captures);
    if (match.handler != nullptr) return (*match.handler)(std::move(request), reader);
    if (!match.allow.empty()) return given(other_methods(request.method, match.allow));
    const Reply* const unknown = reply(request.path, &Keeper::unknown);
    return given(unknown != nullptr ? (*unknown)(request) : nothing_there());
}

}  // namespace assay::http
