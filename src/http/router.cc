#include <algorithm>
#include <array>

#include "http/message.hh"

namespace assay::http {
namespace {

bool is_capture(std::string_view part) { return part.starts_with('{'); }

constexpr std::size_t route_parts_max = 12;

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

// A pattern's literal parts win over captures, the leftmost difference deciding.
bool more_literal(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (is_capture(a[i]) != is_capture(b[i])) return is_capture(b[i]);
    }
    return false;
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

void Router::add(std::string method, std::string pattern, Handler handler) {
    ASSAY_ASSERT(pattern.starts_with('/'));
    const Answered answered{pattern};
    Route route{std::move(method), std::move(pattern), {}, std::move(handler), answered};
    for (const std::string_view part : parts_of(route.pattern)) route.parts.emplace_back(part);
    ASSAY_ASSERT(route.parts.size() <= route_parts_max);
    routes_.push_back(std::move(route));
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
    const Given given{path};
    const auto fits = [&](const Route& route) {
        if (route.parts.size() != given.count) return false;
        for (std::size_t i = 0; i < given.count; ++i) {
            if (is_capture(route.parts[i]) ? given.parts[i].empty() : route.parts[i] != given.parts[i]) return false;
        }
        return true;
    };
    // The most literal pattern that fits, then among its methods: the named one, GET for HEAD, any.
    const Route* nearest = nullptr;
    for (const Route& route : routes_) {
        if (fits(route) && (nearest == nullptr || more_literal(route.parts, nearest->parts))) nearest = &route;
    }
    Match match;
    if (nearest == nullptr) return match;
    match.pattern = nearest->pattern;
    match.answered = &nearest->answered;

    const Route* chosen = nullptr;
    int rank = 0;
    for (const Route& route : routes_) {
        if (!fits(route) || more_literal(nearest->parts, route.parts)) continue;
        const int own = route.method == method                      ? 3
                        : method == "HEAD" && route.method == "GET" ? 2
                        : route.method == "*"                       ? 1
                                                                    : 0;
        if (own <= rank) continue;
        rank = own;
        chosen = &route;
        if (own == 3) break;
    }
    if (chosen == nullptr) {
        for (const Route& route : routes_) {
            if (!fits(route) || more_literal(nearest->parts, route.parts)) continue;
            match.allow += (match.allow.empty() ? "" : ", ") + route.method;
            if (route.method == "GET") match.allow += ", HEAD";
        }
        return match;
    }
    match.handler = &chosen->handler;
    match.captures.reserve(given.count);
    for (std::size_t i = 0; i < given.count; ++i) {
        if (is_capture(chosen->parts[i])) match.captures.emplace_back(given.parts[i]);
    }
    return match;
}

}  // namespace assay::http
