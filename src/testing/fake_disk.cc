#include "testing/fake_disk.hh"

#include <utility>

#include "sys/file.hh"

namespace assay::testing {
namespace {

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

Error no_room() { return {Fault::disk_full, "the disk is full"}; }
Error power_gone() { return {Fault::disk_failed, "the power is gone"}; }

}  // namespace

struct FakeDisk::Open final : sys::DiskFile {
    Open(FakeDisk& d, std::shared_ptr<Content> c) : disk{d}, content{std::move(c)} {}
    Result<> write(ByteView bytes) override {
        const Turn turn = disk.turn("write");
        if (turn == Turn::fail) return power_gone();
        if (std::cmp_greater(bytes.size(), disk.free_bytes_)) return no_room();
        if (turn == Turn::go) {
            content->now += text_of(bytes);
            disk.free_bytes_ -= static_cast<std::int64_t>(bytes.size());
        }
        return ok;
    }
    Result<> sync_data() override {
        const Turn turn = disk.turn("sync_data");
        if (turn == Turn::fail) {
            content->lost = true;
            return power_gone();
        }
        if (turn == Turn::go && !content->lost) content->durable = content->now;
        return ok;
    }
    FakeDisk& disk;
    std::shared_ptr<Content> content;
};

FakeDisk::FakeDisk(std::vector<std::string> directories)
    : directories_now_{directories.begin(), directories.end()}, directories_durable_{directories_now_} {}

FakeDisk::Turn FakeDisk::turn(const char* operation) {
    const int number = operations();
    log_.emplace_back(operation);
    if ((cut_at_ >= 0 && number >= cut_at_) || number == fail_) return Turn::fail;
    return number == skip_ ? Turn::skip : Turn::go;
}

Result<std::unique_ptr<sys::DiskFile>> FakeDisk::create(const std::string& path) {
    if (turn("create") == Turn::fail) return power_gone();
    if (!directories_now_.contains(parent_of(path))) return Error{Fault::missing, "create " + path};
    if (now_.contains(path)) return Error{Fault::conflict, "create " + path};
    auto content = std::make_shared<Content>();
    now_[path] = content;
    return std::unique_ptr<sys::DiskFile>{std::make_unique<Open>(*this, content)};
}

Result<sys::Fd> FakeDisk::open_read(const std::string& path) {
    const auto found = now_.find(path);
    if (found == now_.end()) return Error{Fault::missing, "open " + path};
    return sys::memory_file("fake", bytes_of(found->second->now), false);
}

Result<> FakeDisk::rename(const std::string& from, const std::string& to) {
    const Turn turn_now = turn("rename");
    if (turn_now == Turn::fail) return power_gone();
    if (turn_now == Turn::skip) return ok;
    const auto found = now_.find(from);
    if (found == now_.end() || !directories_now_.contains(parent_of(to))) return Error{Fault::missing, "rename " + from};
    const auto content = found->second;
    now_.erase(found);
    now_[to] = content;
    lost_names_.erase(to);  // A new entry, which a sync may yet save.
    return ok;
}

Result<> FakeDisk::sync_directory(const std::string& path) {
    const Turn turn_now = turn("sync_directory");
    const auto here = [&](const std::string& entry) { return parent_of(entry) == path && !lost_names_.contains(entry); };
    if (turn_now == Turn::fail) {
        for (const auto& [name, content] : now_) {
            if (here(name) && !durable_.contains(name)) lost_names_.insert(name);
        }
        for (const std::string& name : directories_now_) {
            if (here(name) && !directories_durable_.contains(name)) lost_names_.insert(name);
        }
        return power_gone();
    }
    if (turn_now == Turn::skip) return ok;
    if (!directories_now_.contains(path)) return Error{Fault::missing, "sync " + path};
    std::erase_if(durable_, [&](const auto& entry) { return here(entry.first); });
    std::erase_if(directories_durable_, here);
    for (const auto& [name, content] : now_) {
        if (here(name)) durable_[name] = content;
    }
    for (const std::string& name : directories_now_) {
        if (here(name)) directories_durable_.insert(name);
    }
    return ok;
}

Result<bool> FakeDisk::make_directory(const std::string& path) {
    const Turn turn_now = turn("make_directory");
    if (turn_now == Turn::fail) return power_gone();
    if (turn_now == Turn::skip) return true;
    return directories_now_.insert(path).second;
}

Result<> FakeDisk::remove(const std::string& path) {
    const Turn turn_now = turn("remove");
    if (turn_now == Turn::fail) return power_gone();
    if (turn_now == Turn::skip) return ok;
    if (const auto found = now_.find(path); found != now_.end()) {
        free_bytes_ += static_cast<std::int64_t>(found->second->now.size());
        now_.erase(found);
    }
    return ok;
}

Result<std::vector<std::string>> FakeDisk::list(const std::string& path) {
    std::vector<std::string> names;
    for (const auto& [name, content] : now_) {
        if (parent_of(name) == path) names.push_back(name.substr(path.size() + 1));
    }
    return names;
}

Result<sys::DiskRoom> FakeDisk::room(const std::string&) {
    return sys::DiskRoom{.size_bytes = std::int64_t{1} << 50, .free_bytes = free_bytes_, .free_files = std::int64_t{1} << 40};
}

Result<> FakeDisk::reserve(const std::string& path, std::int64_t bytes) {
    if (turn("reserve") == Turn::fail) return power_gone();
    if (bytes > free_bytes_) return no_room();
    free_bytes_ -= bytes;
    now_[path] = std::make_shared<Content>(Content{std::string(static_cast<std::size_t>(bytes), ' '), {}, false});
    return ok;
}

void FakeDisk::crash() {
    cut_at_ = -1;
    skip_ = -1;
    fail_ = -1;
    lost_names_.clear();
    directories_now_ = directories_durable_;
    // A name below a directory that is not there any more is not there either.
    std::erase_if(durable_, [&](const auto& entry) { return !directories_now_.contains(parent_of(entry.first)); });
    now_.clear();
    for (const auto& [name, content] : durable_) {
        auto survived = std::make_shared<Content>(Content{content->durable, content->durable, false});
        now_[name] = survived;
    }
    durable_ = now_;
}

}  // namespace assay::testing
