// What /assay/run uses of the C++ library beyond its headers. It is built without exceptions: what would throw is our own mistake, or memory
// that ended, and ends it.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "base/assert.hh"

namespace {

// Memory is taken in pieces and not given back, but for what was taken last: the program lives as long as one command and keeps little.
constexpr std::size_t piece_bytes_min = 256 << 10;
constexpr std::size_t alignment = 16;

std::byte* next = nullptr;
std::byte* end = nullptr;

std::size_t rounded(std::size_t size) { return (size + alignment - 1) / alignment * alignment; }

void say(const char* text) { (void)!::write(STDERR_FILENO, text, std::strlen(text)); }

[[noreturn]] void give_up(const char* why) {
    say("/assay/run: ");
    say(why);
    say("\n");
    std::abort();
}

void* take(std::size_t size) {
    if (size > static_cast<std::size_t>(PTRDIFF_MAX) / 2) give_up("a size beyond all memory");
    size = std::max(rounded(size), alignment);
    if (static_cast<std::size_t>(end - next) < size) {
        const std::size_t piece = std::max(size, piece_bytes_min);
        void* const more = ::mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more == MAP_FAILED) give_up("there is no more memory");
        next = static_cast<std::byte*>(more);
        end = next + piece;
    }
    return std::exchange(next, next + size);
}

void give_back(void* memory, std::size_t size) {
    size = std::max(rounded(size), alignment);
    if (memory != nullptr && static_cast<std::byte*>(memory) + size == next) next -= size;
}

}  // namespace

void* operator new(std::size_t size) { return take(size); }
void* operator new[](std::size_t size) { return take(size); }
void operator delete(void*) noexcept {}
void operator delete[](void*) noexcept {}
void operator delete(void* memory, std::size_t size) noexcept { give_back(memory, size); }
void operator delete[](void* memory, std::size_t size) noexcept { give_back(memory, size); }

void assay::assertion_failed(const char* condition, const char* file, int) noexcept {
    say(file);
    say(": assertion failed: ");
    give_up(condition);
}

namespace std {

void __throw_bad_alloc() { give_up("there is no more memory"); }
void __throw_bad_array_new_length() { give_up("a size beyond all memory"); }
void __throw_length_error(const char*) { give_up("a size beyond all memory"); }
void __throw_logic_error(const char* what) { give_up(what); }
void __throw_out_of_range_fmt(const char* what, ...) { give_up(what); }

}  // namespace std
