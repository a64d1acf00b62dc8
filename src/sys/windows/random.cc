#include "sys/random.hh"

#include <windows.h>

#include <bcrypt.h>

#include "base/assert.hh"

namespace assay::sys {

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    const NTSTATUS done = ::BCryptGenRandom(nullptr, reinterpret_cast<PUCHAR>(bytes.data()), static_cast<ULONG>(count), BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    ASSAY_ASSERT(done >= 0);  // The system's own generator cannot fail.
    return bytes;
}

}  // namespace assay::sys
