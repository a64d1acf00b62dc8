#include "model/limits.hh"

#include <fmt/format.h>

namespace assay::model {

std::string Captured::text() const {
    if (dropped_bytes == 0) return head + tail;
    return fmt::format("{}\n[... {} bytes left out ...]\n{}", head, dropped_bytes, tail);
}

}  // namespace assay::model
