// FakeDisk: a disk in memory that forgets at `crash()` whatever was not synced: the bytes of a file without sync_data, names
// (of files and directories) without sync_directory. Harsher than most real ones, and allowed by POSIX.
//
// Threading: one thread. Descriptors it hands out are copies in memory.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sys/disk.hh"

namespace assay::testing {

class FakeDisk final : public sys::Disk {
public:
    // `directories` exist and are durable.
    explicit FakeDisk(std::vector<std::string> directories);

    Result<std::unique_ptr<sys::DiskFile>> create(const std::string& path) override;
    Result<sys::Fd> open_read(const std::string& path) override;
    Result<> rename(const std::string& from, const std::string& to) override;
    Result<> sync_directory(const std::string& path) override;
    Result<bool> make_directory(const std::string& path) override;
    Result<> remove(const std::string& path) override;
    Result<std::vector<std::string>> list(const std::string& path) override;
    Result<sys::DiskRoom> room(const std::string& path) override;
    Result<> reserve(const std::string& path, std::int64_t bytes) override;

    // How much there is besides what it holds: writes beyond are refused with disk_full. Until then there is no bound.
    void set_free(std::int64_t bytes) { free_bytes_ = bytes; }

    // Power cut: everything is now as the platter has it. Open files write into nothing from here on.
    void crash();

    // The operation with this number (0-based, of all that change or sync) and every later one fails as if the power were
    // gone; `crash` then. Negative: never.
    void cut_power_at(int operation) { cut_at_ = operation; }
    // The operation with this number fails once, as a disk does that has a bad moment. What a failed sync was to make durable is
    // lost for good, however often others succeed: the system takes it for written.
    void fail(int operation) { fail_ = operation; }
    // The operation with this number says it worked and does nothing: what a program that forgot the call would see.
    void skip(int operation) { skip_ = operation; }
    int operations() const { return static_cast<int>(log_.size()); }
    const std::vector<std::string>& log() const { return log_; }  // "write", "sync_data", "rename", …

private:
    struct Content {
        std::string now;
        std::string durable;
        bool lost = false;  // a sync of it failed
    };
    struct Open;
    enum class Turn { go, skip, fail };
    Turn turn(const char* operation);

    std::map<std::string, std::shared_ptr<Content>> now_;      // path → file
    std::map<std::string, std::shared_ptr<Content>> durable_;
    std::set<std::string> directories_now_;
    std::set<std::string> directories_durable_;
    std::vector<std::string> log_;
    std::int64_t free_bytes_ = std::int64_t{1} << 50;
    int cut_at_ = -1;
    int skip_ = -1;
    int fail_ = -1;
    std::set<std::string> lost_names_;
};

}  // namespace assay::testing
