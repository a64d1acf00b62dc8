#include "sys/disk.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "sys/file.hh"

namespace assay::sys {
namespace {

// Takes room for a long file step by step ahead of its bytes, which spares the kernel to find it page by page, and gives back what
// was too much before the file is synced. Only a hint: where there is no room, or none to be had this way, the write says so.
class RealFile final : public DiskFile {
public:
    explicit RealFile(Fd fd) : fd_{std::move(fd)} {}
    Result<> write(ByteView bytes) override {
        const auto after = size_ + std::ssize(bytes);
        if (size_ >= ahead_from_bytes && after > taken_) take_ahead(after);
        ASSAY_CHECK(write_all(fd_, bytes));
        size_ = after;
        return ok;
    }
    Result<> sync_data() override {
        if (taken_ > size_) (void)::ftruncate(fd_.get(), size_);
        return sys::sync_data(fd_);
    }

private:
    static constexpr std::int64_t ahead_from_bytes = 256 << 10;
    static constexpr std::int64_t ahead_bytes = 2 << 20;

    void take_ahead(std::int64_t needed) {
        const std::int64_t from = std::max(taken_, size_);
        const std::int64_t bytes = std::max(ahead_bytes, needed - from);
        const bool given = ::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, from, bytes) == 0;
        taken_ = given ? from + bytes : std::numeric_limits<std::int64_t>::max();  // Once refused, not asked again.
    }

    Fd fd_;
    std::int64_t size_ = 0;
    std::int64_t taken_ = 0;
};

class RealDisk final : public Disk {
public:
    Result<std::unique_ptr<DiskFile>> create(const std::string& path) override {
        ASSAY_TRY(Fd fd, create_exclusive(path));
        return std::unique_ptr<DiskFile>{std::make_unique<RealFile>(std::move(fd))};
    }
    Result<Fd> open_read(const std::string& path) override { return sys::open_read(path); }
    Result<> rename(const std::string& from, const std::string& to) override { return rename_over(from, to); }
    Result<> sync_directory(const std::string& path) override { return sys::sync_directory(path); }
    Result<bool> make_directory(const std::string& path) override {
        const bool there = info_of_path(path).has_value();  // Two makers may both hear "new": one sync too many, never one too few.
        ASSAY_CHECK(sys::make_directory(path));
        return !there;
    }
    Result<> remove(const std::string& path) override { return remove_file(path); }
    Result<std::vector<std::string>> list(const std::string& path) override { return list_directory(path); }
    Result<DiskRoom> room(const std::string& path) override { return room_of(path); }
    Result<> reserve(const std::string& path, std::int64_t bytes) override {
        ASSAY_CHECK(remove_file(path));  // One that is there may be shorter.
        ASSAY_TRY(const Fd fd, create_exclusive(path));
        auto kept = preallocate(fd, bytes);
        if (!kept) (void)remove_file(path);
        return kept;
    }
};

}  // namespace

Disk& real_disk() {
    static RealDisk disk;
    return disk;
}

}  // namespace assay::sys
