// Every number of this room that is not a route's own. Names are told in docs/operating/metrics.md.
#pragma once

#include "base/metrics.hh"

namespace assay::http {

struct Metrics {
    static metrics::Gauge& connections(std::string_view kind) {
        return metrics::registry().gauge("assay_http_connections", "Connections that are open, and what they are at.", {{"kind", kind}});
    }
    metrics::Gauge& open = connections("open");
    metrics::Gauge& receiving = connections("receiving");
    metrics::Gauge& streaming = connections("streaming");
    metrics::Counter& shed = metrics::registry().counter(
        "assay_http_connections_shed_total", "Connections that had to go because the cap was reached: slow senders first, then idle ones.");
};

inline Metrics& room_metrics() {
    static Metrics of_this_process;
    return of_this_process;
}

}  // namespace assay::http
