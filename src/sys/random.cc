#include "sys/random.hh"

#include <sys/random.h>

#include <cerrno>

#include "base/assert.hh"

namespace assay::sys {

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    for (std::size_t have = 0; have < count;) {
        const ssize_t n = ::getrandom(bytes.data() + have, count - have, 0);
        if (n < 0 && errno == EINTR) continue;
        ASSAY_ASSERT(n > 0);  // Cannot fail on any kernel we run on once the pool is ready.
        have += static_cast<std::size_t>(n);
    }
    return bytes;
}

}  // namespace assay::sys
