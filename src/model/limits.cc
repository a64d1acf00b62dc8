#include "model/limits.hh"

namespace assay::model {

std::string cut_mark(std::int64_t bytes) { return "\n[… " + std::to_string(bytes) + " B …]\n"; }

std::string Captured::text() const {
    if (dropped_bytes == 0) return head + tail;
    return head + cut_mark(dropped_bytes) + tail;
}

}  // namespace assay::model
