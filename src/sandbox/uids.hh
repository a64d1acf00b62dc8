// Which uids there are, by the text of a /proc/self/uid_map.
#pragma once

#include <string_view>

namespace assay::sandbox {

// All of the machine, as outside of any user namespace; also when it is not known.
bool maps_all_ids(std::string_view uid_map);

}  // namespace assay::sandbox
