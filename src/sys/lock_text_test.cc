#include "sys/lock_text.hh"

#include <gtest/gtest.h>

namespace assay::sys {
namespace {

TEST(TextMappings, CodeOfFilesFirstAndNothingElse) {
    const auto found = text_mappings("1000-3000 r--p 00000000 fe:00 1 /usr/bin/assay\n"
                                     "3000-9000 r-xp 00002000 fe:00 1 /usr/bin/assay\n"
                                     "9000-a000 rw-p 00008000 fe:00 1 /usr/bin/assay\n"
                                     "b000-c000 rw-p 00000000 00:00 0 [heap]\n"
                                     "c000-d000 r-xp 00000000 00:00 0 [vdso]\n"
                                     "d000-e000 r--s 00000000 fe:00 2 /data/assay.db-shm\n"
                                     "garbage\n\n-\n10-\n20-10 r-xp 0 0 0 /backwards\n");
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].begin, 0x3000u);
    EXPECT_EQ(found[0].end, 0x9000u);
    EXPECT_EQ(found[1].begin, 0x1000u);
}

// However little the limit allows: what was locked and what was refused is all there is.
TEST(LockText, SaysWhatItCouldLock) {
    const auto lock = lock_text();
    ASSERT_TRUE(lock) << lock.error().text();
    EXPECT_GT(lock->locked_bytes + lock->refused_bytes, 0);
}

}  // namespace
}  // namespace assay::sys
