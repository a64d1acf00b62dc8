#include "model/limits.hh"

#include <fmt/format.h>

namespace assay::model {

std::string cut_mark(std::int64_t bytes) { return fmt::format("\n[… {} B …]\n", bytes); }

std::string Captured::text() const {
    if (dropped_bytes == 0) return head + tail;
    return head + cut_mark(dropped_bytes) + tail;
}

}  // namespace assay::model
