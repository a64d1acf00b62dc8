// Rule 3 of durability, with a disk that fails on order.
#include "store/sqlite/rebuild.hh"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <new>
#include <string_view>
#include <thread>

#include "store/store.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::store {
namespace {

using Values = std::vector<std::string>;

// SQLite's usual way to the files, which fails on order. The orders are atomic. One at a time.
class FaultyVfs {
public:
    static constexpr const char* name = "faulty";

    FaultyVfs() {
        usual() = sqlite3_vfs_find(nullptr);
        vfs_ = *usual();
        vfs_.pNext = nullptr;
        vfs_.zName = name;
        vfs_.szOsFile = static_cast<int>(sizeof(File)) + usual()->szOsFile;
        vfs_.xOpen = open;
        orders() = this;
        sqlite3_vfs_register(&vfs_, 0);
    }
    ~FaultyVfs() { sqlite3_vfs_unregister(&vfs_); }
    FaultyVfs(const FaultyVfs&) = delete;
    FaultyVfs& operator=(const FaultyVfs&) = delete;

    std::atomic<int> syncs_of_log_fail{0};   // so many of the next ones
    std::atomic<int> syncs_of_file_fail{0};  // of the database itself: checkpoints
    std::atomic<int> writes_find_no_room{0};
    std::atomic<int> writes_fail{0};         // with EIO
    std::atomic<int> copies_fail{0};         // that a copy is opened
    std::atomic<int> opens_fail{0};          // that the database itself is, from then on

private:
    struct File {
        sqlite3_file base;
        sqlite3_io_methods methods;
        bool log;
        sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    };
    static File* mine(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
    static sqlite3_file* real(sqlite3_file* file) { return mine(file)->real(); }
    static sqlite3_vfs*& usual() {
        static sqlite3_vfs* it = nullptr;
        return it;
    }
    static FaultyVfs*& orders() {
        static FaultyVfs* it = nullptr;
        return it;
    }
    static bool due(std::atomic<int>& order) {
        int left = order.load();
        while (left > 0 && !order.compare_exchange_weak(left, left - 1)) {}
        return left > 0;
    }

    static int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out) {
        if (path != nullptr && std::string_view{path}.ends_with(".copy") && due(orders()->copies_fail)) {
            file->pMethods = nullptr;
            return SQLITE_CANTOPEN;
        }
        if ((flags & SQLITE_OPEN_MAIN_DB) != 0 && path != nullptr && std::string_view{path}.ends_with(".db") && due(orders()->opens_fail)) {
            file->pMethods = nullptr;
            return SQLITE_CANTOPEN;
        }
        File* const f = new (file) File{};
        const int opened = usual()->xOpen(usual(), path, f->real(), flags, out);
        f->log = (flags & SQLITE_OPEN_WAL) != 0;
        if (f->real()->pMethods == nullptr) {
            file->pMethods = nullptr;
            return opened;
        }
        f->methods = {
            .iVersion = 2,
            .xClose = [](sqlite3_file* it) { return real(it)->pMethods->xClose(real(it)); },
            .xRead = [](sqlite3_file* it, void* to, int n, sqlite3_int64 at) { return real(it)->pMethods->xRead(real(it), to, n, at); },
            .xWrite = write,
            .xTruncate = [](sqlite3_file* it, sqlite3_int64 size) { return real(it)->pMethods->xTruncate(real(it), size); },
            .xSync = sync,
            .xFileSize = [](sqlite3_file* it, sqlite3_int64* size) { return real(it)->pMethods->xFileSize(real(it), size); },
            .xLock = [](sqlite3_file* it, int kind) { return real(it)->pMethods->xLock(real(it), kind); },
            .xUnlock = [](sqlite3_file* it, int kind) { return real(it)->pMethods->xUnlock(real(it), kind); },
            .xCheckReservedLock = [](sqlite3_file* it, int* held) { return real(it)->pMethods->xCheckReservedLock(real(it), held); },
            .xFileControl = [](sqlite3_file* it, int what, void* with) { return real(it)->pMethods->xFileControl(real(it), what, with); },
            .xSectorSize = [](sqlite3_file* it) { return real(it)->pMethods->xSectorSize(real(it)); },
            .xDeviceCharacteristics = [](sqlite3_file* it) { return real(it)->pMethods->xDeviceCharacteristics(real(it)); },
            .xShmMap = [](sqlite3_file* it, int page, int size, int extend, void volatile** to) {
                return real(it)->pMethods->xShmMap(real(it), page, size, extend, to);
            },
            .xShmLock = [](sqlite3_file* it, int at, int n, int how) { return real(it)->pMethods->xShmLock(real(it), at, n, how); },
            .xShmBarrier = [](sqlite3_file* it) { real(it)->pMethods->xShmBarrier(real(it)); },
            .xShmUnmap = [](sqlite3_file* it, int remove) { return real(it)->pMethods->xShmUnmap(real(it), remove); },
            .xFetch = nullptr,
            .xUnfetch = nullptr,
        };
        f->base.pMethods = &f->methods;
        return opened;
    }
    static int write(sqlite3_file* file, const void* bytes, int n, sqlite3_int64 at) {
        if (due(orders()->writes_find_no_room)) return SQLITE_FULL;
        if (due(orders()->writes_fail)) {
            errno = EIO;
            return SQLITE_IOERR_WRITE;
        }
        return real(file)->pMethods->xWrite(real(file), bytes, n, at);
    }
    static int sync(sqlite3_file* file, int flags) {
        const bool failed = due(mine(file)->log ? orders()->syncs_of_log_fail : orders()->syncs_of_file_fail);
        if (failed) {
            errno = ENOSPC;  // Whatever it says: after a failed sync it is not known what is on the disk.
            return SQLITE_IOERR_FSYNC;
        }
        return real(file)->pMethods->xSync(real(file), flags);
    }

    sqlite3_vfs vfs_{};
};


class FailingDisk : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(sys::make_directory(directory_));
        reopen();
        ASSERT_TRUE(put("before"));
    }
    void TearDown() override {
        store_.reset();
        ASSERT_TRUE(sys::remove_tree(directory_));
    }
    void reopen() {
        store_.reset();
        auto opened = open_sqlite({.path = path_, .vfs = FaultyVfs::name, .rebuild_wait = std::chrono::milliseconds{1}});
        ASSERT_TRUE(opened) << opened.error().text();
        store_ = std::move(*opened);
    }
    Result<> put(const std::string& name) {
        return store_->write_and_wait([&](Tx& tx) { return tx.put_setting(name, "is there"); });
    }
    bool has(const std::string& name) {
        bool found = false;
        const auto read = store_->read([&](Reading& reading) -> Result<> {
            ASSAY_TRY(const auto value, reading.setting(name));
            found = value.has_value();
            return ok;
        });
        EXPECT_TRUE(read) << read.error().text();
        return found;
    }
    // Waits until the store takes changes again: it does that by itself, on its own thread.
    bool takes_changes_again() {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (store_->read_only() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
        return !store_->read_only();
    }

    FaultyVfs disk_;
    std::string directory_ = std::filesystem::temp_directory_path() / ("assay-failing-" + sys::random_text(8, "abcdefgh"));
    std::string path_ = directory_ + "/assay.db";
    std::unique_ptr<Store> store_;
};

// The log holds the whole refused commit, valid to the last byte, and SQLite would find it there at the next start.
TEST_F(FailingDisk, WhatAFailedSyncRefusedNeverComesBack) {
    disk_.syncs_of_log_fail = 1;
    EXPECT_EQ(put("refused").error().fault(), Fault::disk_failed);
    ASSERT_TRUE(takes_changes_again());
    EXPECT_FALSE(has("refused"));
    EXPECT_TRUE(has("before"));
    ASSERT_TRUE(put("after"));
    reopen();
    EXPECT_FALSE(has("refused"));
    EXPECT_TRUE(has("before"));
    EXPECT_TRUE(has("after"));
    EXPECT_EQ(sys::list_directory(directory_).value(), (Values{"assay.db", "assay.db-shm", "assay.db-wal"}));
}

TEST_F(FailingDisk, AWriteThatFailsIsNoFullDisk) {
    disk_.writes_fail = 1;
    EXPECT_EQ(put("refused").error().fault(), Fault::disk_failed);
    ASSERT_TRUE(takes_changes_again());
    EXPECT_TRUE(put("after"));
    EXPECT_FALSE(has("refused"));
}

TEST_F(FailingDisk, AFullDiskCostsOnlyWhatDidNotFit) {
    disk_.writes_find_no_room = 1;
    EXPECT_EQ(put("refused").error().fault(), Fault::disk_full);
    EXPECT_FALSE(store_->read_only());
    EXPECT_TRUE(put("after"));
    EXPECT_FALSE(has("refused"));
}

// The commits were answered long before; what failed is that they were moved from the log into the file.
TEST_F(FailingDisk, AFailedCheckpointLosesNoCommit) {
    disk_.syncs_of_file_fail = 1;
    const std::string long_value(6u << 20, 'x');  // So that the log has to be moved.
    ASSERT_TRUE(store_->write_and_wait([&](Tx& tx) { return tx.put_setting("long", long_value); }));
    while (disk_.syncs_of_file_fail != 0) std::this_thread::yield();
    // Refused until it is written anew; which of the two is met here is a matter of moments.
    if (const auto written = put("meanwhile"); !written) EXPECT_EQ(written.error().fault(), Fault::busy);
    ASSERT_TRUE(takes_changes_again());
    EXPECT_TRUE(has("long"));
    ASSERT_TRUE(put("after"));
    reopen();
    EXPECT_TRUE(has("long"));
    EXPECT_TRUE(has("before"));
    EXPECT_TRUE(has("after"));
}

TEST_F(FailingDisk, StaysReadOnlyWhenItCannotBeWrittenAnew) {
    disk_.copies_fail = 1000;
    disk_.syncs_of_log_fail = 1;
    EXPECT_EQ(put("refused").error().fault(), Fault::disk_failed);
    EXPECT_EQ(put("later").error().fault(), Fault::busy);
    EXPECT_TRUE(store_->read_only());
    EXPECT_TRUE(has("before"));
    EXPECT_FALSE(has("refused"));
}

// Nobody has to start it again once the disk is sound.
TEST_F(FailingDisk, TriesAgainToWriteItselfAnewWhileItRuns) {
    disk_.copies_fail = 5;
    disk_.syncs_of_log_fail = 1;
    EXPECT_EQ(put("refused").error().fault(), Fault::disk_failed);
    ASSERT_TRUE(takes_changes_again());
    EXPECT_EQ(disk_.copies_fail, 0);
    EXPECT_TRUE(has("before"));
    EXPECT_FALSE(has("refused"));
    ASSERT_TRUE(put("after"));
    reopen();
    EXPECT_FALSE(has("refused"));
    EXPECT_TRUE(has("after"));
}

// Between two files nobody reads; the next try goes on from there, and writes a new file all the same.
TEST_F(FailingDisk, GoesOnFromBetweenTwoFiles) {
    disk_.opens_fail = 2;
    disk_.syncs_of_log_fail = 1;
    EXPECT_EQ(put("refused").error().fault(), Fault::disk_failed);
    ASSERT_TRUE(takes_changes_again());
    EXPECT_EQ(disk_.opens_fail, 0);
    EXPECT_TRUE(has("before"));
    EXPECT_FALSE(has("refused"));
    EXPECT_TRUE(put("after"));
    EXPECT_TRUE(has("after"));
}

// One that waits to try again does not keep the server from ending.
TEST_F(FailingDisk, EndsWhileItWaitsToTryAgain) {
    store_.reset();
    auto patient = open_sqlite({.path = path_, .vfs = FaultyVfs::name, .rebuild_wait = std::chrono::hours{1}});
    ASSERT_TRUE(patient);
    store_ = std::move(*patient);
    disk_.copies_fail = 1;
    disk_.syncs_of_log_fail = 1;
    EXPECT_FALSE(put("refused"));
    store_.reset();
}

// A start finds a copy that was finished, and beside it the old file with a log that must not be read into the new one.
TEST_F(FailingDisk, AStartPutsAFinishedCopyInPlace) {
    {
        auto whole = sqlite::Database::open(path_, sqlite::Database::Access::write);
        ASSERT_TRUE(whole);
        ASSERT_TRUE(sqlite::write_rebuilt(*whole, path_));
    }
    ASSERT_TRUE(put("refused"));  // Only in the old file and its log.
    const std::string log = sys::read_file(path_ + "-wal", 64u << 20).value();
    const std::string file = sys::read_file(path_, 64u << 20).value();
    store_.reset();
    ASSERT_TRUE(sys::write_file_durably(path_ + "-wal", log));  // As a kill -9 leaves it.
    ASSERT_TRUE(sys::write_file_durably(path_, file));
    ASSERT_TRUE(sys::write_file_durably(path_ + ".copy", "half of something"));
    reopen();
    EXPECT_TRUE(has("before"));
    EXPECT_FALSE(has("refused"));
    EXPECT_EQ(sys::list_directory(directory_).value(), (Values{"assay.db", "assay.db-shm", "assay.db-wal"}));
}

}  // namespace
}  // namespace assay::store
