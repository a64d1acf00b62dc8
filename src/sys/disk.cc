#include "sys/disk.hh"

#include "sys/file.hh"

namespace assay::sys {
namespace {

class RealFile final : public DiskFile {
public:
    explicit RealFile(Fd fd) : fd_{std::move(fd)} {}
    Result<> write(ByteView bytes) override { return write_all(fd_, bytes); }
    Result<> sync_data() override { return sys::sync_data(fd_); }

private:
    Fd fd_;
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
