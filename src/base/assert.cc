#include "base/assert.hh"

#include <cstdio>
#include <cstdlib>

namespace assay {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
    std::fprintf(stderr, "assay: assertion failed: %s (%s:%d)\n", condition, file, line);
    std::abort();
}

}  // namespace assay
