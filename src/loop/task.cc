#include "loop/task.hh"

#include <array>
#include <cstddef>
#include <new>

namespace assay::loop {
namespace {

constexpr std::size_t step_bytes = 256;
constexpr std::size_t kept_bytes_max = 4096;  // of one frame; larger ones are the heap's
#if defined(__has_feature) && __has_feature(address_sanitizer)
constexpr std::size_t kept_max = 0;  // A frame that is used after its end has to be seen.
#else
constexpr std::size_t kept_max = 16;  // of each size, on each thread
#endif

struct Free {
    Free* next;
};

// Of one thread. What it holds when the thread ends goes back to the heap.
struct Kept {
    struct Size {
        Free* first = nullptr;
        std::size_t count = 0;
    };
    std::array<Size, kept_bytes_max / step_bytes + 1> sizes;

    ~Kept() {
        for (Size& size : sizes) {
            while (size.first != nullptr) ::operator delete(std::exchange(size.first, size.first->next));
            size.count = kept_max;  // Whatever is still freed on this thread is not kept any more.
        }
    }
};
thread_local Kept kept;

std::size_t steps_of(std::size_t bytes) { return (bytes + step_bytes - 1) / step_bytes; }

}  // namespace

void* Frames::take(std::size_t bytes) {
    if (bytes > kept_bytes_max) return ::operator new(bytes);
    Kept::Size& size = kept.sizes[steps_of(bytes)];
    if (size.first == nullptr) return ::operator new(steps_of(bytes) * step_bytes);
    --size.count;
    return std::exchange(size.first, size.first->next);
}

void Frames::give(void* frame, std::size_t bytes) noexcept {
    if (bytes <= kept_bytes_max) {
        Kept::Size& size = kept.sizes[steps_of(bytes)];
        if (size.count < kept_max) {
            size.first = new (frame) Free{size.first};
            ++size.count;
            return;
        }
    }
    ::operator delete(frame);
}

}  // namespace assay::loop
