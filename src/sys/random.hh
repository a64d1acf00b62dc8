// Random from the kernel (getrandom). For ids, tokens and keys; tests that need repeatable randomness bring their own engine.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace assay::sys {

std::string random_bytes(std::size_t count);
// `count` characters, each uniform over `alphabet` (2..256 characters; no modulo bias).
std::string random_text(std::size_t count, std::string_view alphabet);

}  // namespace assay::sys
