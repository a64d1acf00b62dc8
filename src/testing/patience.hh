// How many times longer than usual a program may take on this machine (ASSAY_TEST_PATIENCE, 1 without it): what is emulated is slow.
#pragma once

#include <algorithm>
#include <cstdlib>

namespace assay::testing {

inline int patience() {
    const char* const text = std::getenv("ASSAY_TEST_PATIENCE");
    return text == nullptr ? 1 : std::max(1, std::atoi(text));
}

}  // namespace assay::testing
