#include "testing/sqlite_disk.hh"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <string_view>
#include <vector>

namespace assay::testing {
namespace {

constexpr std::size_t sector_bytes = 512;

std::string content_of(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{}};
}

struct Change {
    std::size_t at = 0;
    std::string bytes;
    bool cut = false;  // the file ends at `at`
};

void apply(std::string& file, const Change& change) {
    if (change.cut) return file.resize(change.at);
    if (file.size() < change.at + change.bytes.size()) file.resize(change.at + change.bytes.size());
    file.replace(change.at, change.bytes.size(), change.bytes);
}

struct Image {
    std::string durable;
    bool named = false;            // the name is durable
    std::vector<Change> pending;
    int opened = 0;
};

}  // namespace

struct SqliteDisk::Inner {
    sqlite3_vfs vfs{};
    sqlite3_vfs* usual = nullptr;
    std::mutex mutex;
    std::map<std::string, Image> images;  // guarded, as all below
    int left = -1;                        // operations until the power goes; -1: it stays
    int log_syncs_fail = 0;
    bool syncs_forgotten = false;

    // Under the mutex: whether this one is still done.
    bool powered() {
        if (left > 0) --left;
        return left != 0;
    }
};

namespace {

using Inner = SqliteDisk::Inner;

Inner*& current() {
    static Inner* it = nullptr;
    return it;
}

struct File {
    sqlite3_file base;
    Image* image;                         // nullptr: of a file that nobody needs after a crash
    bool log;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
File* mine(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
sqlite3_file* real(sqlite3_file* file) { return mine(file)->real(); }

int close(sqlite3_file* file) {
    if (mine(file)->image != nullptr) {
        const std::lock_guard lock{current()->mutex};
        --mine(file)->image->opened;
    }
    return real(file)->pMethods->xClose(real(file));
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
    if (Image* const image = mine(file)->image) {
        const std::lock_guard lock{current()->mutex};
        if (!current()->powered()) return SQLITE_IOERR_WRITE;
        image->pending.push_back({static_cast<std::size_t>(at), std::string{static_cast<const char*>(bytes), static_cast<std::size_t>(count)}});
    }
    return real(file)->pMethods->xWrite(real(file), bytes, count, at);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (Image* const image = mine(file)->image) {
        const std::lock_guard lock{current()->mutex};
        if (!current()->powered()) return SQLITE_IOERR_TRUNCATE;
        image->pending.push_back({.at = static_cast<std::size_t>(size), .cut = true});
    }
    return real(file)->pMethods->xTruncate(real(file), size);
}

// The real file is in memory or nobody's concern: only what is remembered of it counts.
int sync(sqlite3_file* file, int) {
    Image* const image = mine(file)->image;
    if (image == nullptr) return SQLITE_OK;
    const std::lock_guard lock{current()->mutex};
    if (!current()->powered()) return SQLITE_IOERR_FSYNC;
    if (mine(file)->log && current()->log_syncs_fail > 0) {
        --current()->log_syncs_fail;
        image->pending.clear();
        return SQLITE_IOERR_FSYNC;
    }
    if (current()->syncs_forgotten) return SQLITE_OK;
    for (const Change& change : image->pending) apply(image->durable, change);
    image->pending.clear();
    image->named = true;
    return SQLITE_OK;
}

const sqlite3_io_methods methods{
    .iVersion = 2,
    .xClose = close,
    .xRead = [](sqlite3_file* it, void* to, int n, sqlite3_int64 at) { return real(it)->pMethods->xRead(real(it), to, n, at); },
    .xWrite = write,
    .xTruncate = truncate,
    .xSync = sync,
    .xFileSize = [](sqlite3_file* it, sqlite3_int64* size) { return real(it)->pMethods->xFileSize(real(it), size); },
    .xLock = [](sqlite3_file* it, int kind) { return real(it)->pMethods->xLock(real(it), kind); },
    .xUnlock = [](sqlite3_file* it, int kind) { return real(it)->pMethods->xUnlock(real(it), kind); },
    .xCheckReservedLock = [](sqlite3_file* it, int* held) { return real(it)->pMethods->xCheckReservedLock(real(it), held); },
    .xFileControl = [](sqlite3_file* it, int what, void* with) { return real(it)->pMethods->xFileControl(real(it), what, with); },
    .xSectorSize = [](sqlite3_file*) { return static_cast<int>(sector_bytes); },
    .xDeviceCharacteristics = [](sqlite3_file*) { return 0; },  // Promises nothing: neither whole sectors nor their order.
    .xShmMap = [](sqlite3_file* it, int page, int size, int extend, void volatile** to) {
        return real(it)->pMethods->xShmMap(real(it), page, size, extend, to);
    },
    .xShmLock = [](sqlite3_file* it, int at, int n, int how) { return real(it)->pMethods->xShmLock(real(it), at, n, how); },
    .xShmBarrier = [](sqlite3_file* it) { real(it)->pMethods->xShmBarrier(real(it)); },
    .xShmUnmap = [](sqlite3_file* it, int remove) { return real(it)->pMethods->xShmUnmap(real(it), remove); },
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out) {
    Inner& disk = *current();
    File* const f = new (file) File{};
    const bool kept = path != nullptr && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
    const std::lock_guard lock{disk.mutex};
    if (kept && disk.left == 0) return SQLITE_CANTOPEN;
    const bool there = kept && std::filesystem::exists(path);
    const int opened = disk.usual->xOpen(disk.usual, path, f->real(), flags, out);
    if (f->real()->pMethods == nullptr) return opened;
    f->base.pMethods = &methods;
    f->log = (flags & SQLITE_OPEN_WAL) != 0;
    if (!kept) return opened;
    const auto [entry, fresh] = disk.images.try_emplace(path);
    f->image = &entry->second;
    if (f->image->opened++ > 0) return opened;
    // Ours of before, when it is: else somebody put another in its place, durably.
    std::string known = entry->second.durable;
    for (const Change& change : entry->second.pending) apply(known, change);
    std::string found = there ? content_of(path) : std::string{};
    if (fresh || known != found) entry->second = {.durable = std::move(found), .named = there, .opened = 1};
    return opened;
}

int remove(sqlite3_vfs*, const char* path, int sync_directory) {
    Inner& disk = *current();
    const std::lock_guard lock{disk.mutex};
    if (const auto found = disk.images.find(path); found != disk.images.end()) {
        if (!disk.powered()) return SQLITE_IOERR_DELETE;
        found->second.durable.clear();
        found->second.pending.clear();
        found->second.named = false;
    }
    return disk.usual->xDelete(disk.usual, path, sync_directory);
}

}  // namespace

SqliteDisk::SqliteDisk() : inner_{std::make_unique<Inner>()} {
    inner_->usual = sqlite3_vfs_find(nullptr);
    inner_->vfs = *inner_->usual;
    inner_->vfs.pNext = nullptr;
    inner_->vfs.zName = name;
    inner_->vfs.szOsFile = static_cast<int>(sizeof(File)) + inner_->usual->szOsFile;
    inner_->vfs.xOpen = open;
    inner_->vfs.xDelete = remove;
    current() = inner_.get();
    sqlite3_vfs_register(&inner_->vfs, 0);
}

SqliteDisk::~SqliteDisk() {
    sqlite3_vfs_unregister(&inner_->vfs);
    current() = nullptr;
}

void SqliteDisk::fail_after(int operations) {
    const std::lock_guard lock{inner_->mutex};
    inner_->left = operations;
}

void SqliteDisk::fail_log_syncs(int count) {
    const std::lock_guard lock{inner_->mutex};
    inner_->log_syncs_fail = count;
}

void SqliteDisk::forget_syncs() {
    const std::lock_guard lock{inner_->mutex};
    inner_->syncs_forgotten = true;
}

void SqliteDisk::power_cut(std::mt19937& random) {
    const std::lock_guard lock{inner_->mutex};
    for (auto& [path, image] : inner_->images) {
        std::filesystem::remove(path + "-shm");
        if (!image.named) {
            std::filesystem::remove(path);
            continue;
        }
        for (const Change& change : image.pending) {
            if (change.cut && random() % 2 == 0) apply(image.durable, change);
            for (std::size_t at = 0; at < change.bytes.size(); at += sector_bytes) {
                if (random() % 2 == 0) apply(image.durable, {change.at + at, change.bytes.substr(at, sector_bytes)});
            }
        }
        std::ofstream{path, std::ios::binary | std::ios::trunc} << image.durable;
    }
    inner_->images.clear();
    inner_->left = -1;
    inner_->log_syncs_fail = 0;
}

}  // namespace assay::testing
