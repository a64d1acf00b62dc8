// What every target is held to beside its own promises: no more than memory_max bytes on the heap at once. libFuzzer sees to
// crashes, sanitizer findings and time.
#include <sanitizer/allocator_interface.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace assay {

void fuzz(std::string_view input);

namespace {

constexpr std::int64_t memory_max = 64LL << 20;

bool counting = false;
std::int64_t live_bytes = 0;

void allocated(const volatile void*, std::size_t size) {
    if (!counting) return;
    live_bytes += static_cast<std::int64_t>(size);
    if (live_bytes <= memory_max) return;
    counting = false;
    constexpr std::string_view text = "ERROR: more than 64 MiB on the heap for one input\n";
    (void)!write(2, text.data(), text.size());
    std::abort();
}

void freed(const volatile void* memory) {
    if (!counting || memory == nullptr) return;
    live_bytes -= static_cast<std::int64_t>(__sanitizer_get_allocated_size(const_cast<const void*>(memory)));
}

}  // namespace
}  // namespace assay

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    return __sanitizer_install_malloc_and_free_hooks(assay::allocated, assay::freed) == 0 ? 1 : 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    assay::live_bytes = 0;
    assay::counting = true;
    assay::fuzz({reinterpret_cast<const char*>(data), size});
    assay::counting = false;
    return 0;
}
