// ASSAY_ASSERT: on in every build, and for our own mistakes only. What the outside can cause is an Error.
#pragma once

namespace assay {

// Prints the condition and the place to stderr and aborts. Async-signal-safe.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace assay

#define ASSAY_ASSERT(condition) \
    (static_cast<bool>(condition) ? void() : ::assay::assertion_failed(#condition, __FILE__, __LINE__))
