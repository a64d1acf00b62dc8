#include "sys/own_pages.hh"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <fstream>
#include <string>

namespace assay::sys {
namespace {

TEST(Mappings, WhatAProcessReadsAndWritesItself) {
    const auto found = mappings("1000-3000 r--p 00000000 fe:00 1 /usr/bin/assay\n"
                                "3000-9000 r-xp 00002000 fe:00 1 /usr/bin/assay\n"
                                "9000-a000 rw-p 00008000 fe:00 1 /usr/bin/assay\n"
                                "b000-c000 rw-p 00000000 00:00 0 [heap]\n"
                                "c000-d000 r-xp 00000000 00:00 0 [vdso]\n"
                                "d000-e000 rw-s 00000000 fe:00 2 /dev/shm/ring\n"
                                "e000-f000 ---p 00000000 00:00 0 \n"
                                "garbage\n\n-\n10-\n20-10 r-xp 0 0 0 /backwards\n");
    ASSERT_EQ(found.size(), 5u);
    EXPECT_TRUE(found[0].of_file && !found[0].writable);
    EXPECT_TRUE(found[2].of_file && found[2].writable);
    EXPECT_TRUE(!found[3].of_file && found[3].writable);
    EXPECT_FALSE(found[4].of_file);
}

// Of the mappings from `from` on, `size` bytes long.
std::int64_t locked_bytes(const void* from, std::size_t size) {
    std::ifstream smaps{"/proc/self/smaps"};
    const auto begin = reinterpret_cast<std::uintptr_t>(from);
    std::int64_t locked = 0;
    bool inside = false;
    for (std::string line; std::getline(smaps, line);) {
        const auto found = mappings(line);
        if (!found.empty()) inside = found[0].begin >= begin && found[0].end <= begin + size;
        if (inside && line.starts_with("Locked:")) locked += std::stoll(line.substr(7)) * 1024;
    }
    return locked;
}

// What was touched is locked, what was only mapped is not: a process with much address space fits into a small limit.
TEST(OwnPages, LocksWhatWasTouchedAndNoMore) {
    const auto pages = OwnPages::open();
    ASSERT_TRUE(pages) << pages.error().text();
    constexpr std::size_t large = 256u << 20;
    constexpr std::size_t touched = 64u << 10;
    void* const at = ::mmap(nullptr, large, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(at, MAP_FAILED);
    ASSERT_EQ(::madvise(at, large, MADV_NOHUGEPAGE), 0);
    for (std::size_t i = 0; i < touched; i += 4096) static_cast<volatile char*>(at)[i] = 1;
    pages->forget_text();  // It goes on all the same.
    const auto locked = pages->lock_present({});
    if (!locked) GTEST_SKIP() << locked.error().text();
    EXPECT_LT(*locked, static_cast<std::int64_t>(large));
    EXPECT_EQ(locked_bytes(at, large), static_cast<std::int64_t>(touched));
    ASSERT_EQ(::munlockall(), 0);
    constexpr std::size_t half = touched / 2;
    ASSERT_TRUE(pages->lock_present({static_cast<const std::byte*>(at) + half, large - half}));
    EXPECT_EQ(locked_bytes(at, large), static_cast<std::int64_t>(half));
    ASSERT_EQ(::munlockall(), 0);
    ASSERT_EQ(::munmap(at, large), 0);
}

}  // namespace
}  // namespace assay::sys
