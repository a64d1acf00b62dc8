// SqliteDisk: SQLite's way to its files over a disk that keeps only what was synced.
//
// Files lie where their paths say, and beside each the disk remembers what of it is durable: a sync makes durable what was written
// before it, and the file's name with it. power_cut() leaves each file as durable, with a random choice of the 512-byte sectors
// written since: some of a page, of a commit's pages some, in any order. What anybody else put in a file's place before it is
// opened counts as durable.
//
// One at a time in a process. Threading: safe from every thread, but for power_cut, while which nothing may have a file open.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>

namespace assay::testing {

class SqliteDisk {
public:
    static constexpr const char* name = "assay-lossy";

    SqliteDisk();
    ~SqliteDisk();
    SqliteDisk(const SqliteDisk&) = delete;
    SqliteDisk& operator=(const SqliteDisk&) = delete;

    // After so many more writes, syncs and the like nothing is changed any more and each says that it failed: the power is going.
    // 0: from now on.
    void fail_after(int operations);
    // So many of the next syncs of a log fail. What they were to make durable is lost for good, whatever later ones say.
    void fail_log_syncs(int count);
    // Syncs say that they worked and do nothing: what a program that forgot them would see.
    void forget_syncs();

    // Puts on the files what is durable, and has power again.
    void power_cut(std::mt19937& random);

    struct Inner;

private:
    std::unique_ptr<Inner> inner_;
};

}  // namespace assay::testing
