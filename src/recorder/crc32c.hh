// CRC32C (Castagnoli polynomial 0x1EDC6F41, reflected; RFC 3720, appendix B.4).
#pragma once

#include <cstdint>

#include "base/text.hh"

namespace assay::recorder {

// Pure; thread-safe. "123456789" gives 0xE3069283.
std::uint32_t crc32c(ByteView);

}  // namespace assay::recorder
