// An order to a keeper: any bytes of the right size are judged without reading beyond them, and what is accepted has sound
// names, paths and numbers.
#include <cstring>
#include <string_view>

#include "base/assert.hh"
#include "sandbox/protocol.hh"

namespace assay {

void fuzz(std::string_view input) {
    sandbox::ToKeeper order;
    if (input.size() < 2) return;
    const auto descriptors = static_cast<std::size_t>(static_cast<unsigned char>(input[0]));
    const bool binds_allowed = (input[1] & 1) != 0;
    input.remove_prefix(2);
    std::memcpy(&order, input.data(), std::min(input.size(), sizeof order));
    if (!sandbox::check(order, descriptors, binds_allowed)) return;

    ASSAY_ASSERT(order.stage.view().find('/') == std::string_view::npos);
    ASSAY_ASSERT(order.report.view().find('/') == std::string_view::npos);
    ASSAY_ASSERT(order.binds_count <= sandbox::binds_max);
    ASSAY_ASSERT(order.guests == 0 || order.trusted != 0);
    for (std::size_t i = 0; i < order.files_count; ++i) {
        const std::string_view path = order.files[i].view();
        ASSAY_ASSERT(!path.starts_with('/') && path != ".." && !path.starts_with("../") && !path.contains("/../") && !path.ends_with("/.."));
    }
    ASSAY_ASSERT(binds_allowed || (order.binds_count == 0 && order.host_network == 0));
    for (std::size_t i = 0; i < order.binds_count; ++i) {
        const std::string_view inside = order.binds[i].inside.view();
        ASSAY_ASSERT(inside.starts_with('/') && inside.find("/../") == inside.npos && !inside.ends_with("/.."));
    }
}

}  // namespace assay
