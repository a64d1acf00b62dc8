#include "testing/fake_disk.hh"

#include "sys/file.hh"

namespace assay::testing {
namespace {

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

Error power_gone() { return {Fault::disk_failed, "the power is gone"}; }

}  // namespace

struct FakeDisk::Open final : sys::DiskFile {
    Open(FakeDisk& d, std::shared_ptr<Content> c) : disk{d}, content{std::move(c)} {}
    Result<> write(ByteView bytes) override {
        const Turn turn = disk.turn("write");
        if (turn == Turn::fail) return power_gone();
        if (turn == Turn::go) content->now += text_of(bytes);
        return ok;
    }
    Result<> sync_data() override {
        const Turn turn = disk.turn("sync_data");
        if (turn == Turn::fail) return power_gone();
        if (turn == Turn::go) content->durable = content->now;
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
    if (cut_at_ >= 0 && number >= cut_at_) return Turn::fail;
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
    return ok;
}

Result<> FakeDisk::sync_directory(const std::string& path) {
    const Turn turn_now = turn("sync_directory");
    if (turn_now == Turn::fail) return power_gone();
    if (turn_now == Turn::skip) return ok;
    if (!directories_now_.contains(path)) return Error{Fault::missing, "sync " + path};
    const auto here = [&](const std::string& entry) { return parent_of(entry) == path; };
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
    if (turn_now == Turn::go) now_.erase(path);
    return ok;
}

Result<std::vector<std::string>> FakeDisk::list(const std::string& path) {
    std::vector<std::string> names;
    for (const auto& [name, content] : now_) {
        if (parent_of(name) == path) names.push_back(name.substr(path.size() + 1));
    }
    return names;
}

void FakeDisk::crash() {
    cut_at_ = -1;
    skip_ = -1;
    directories_now_ = directories_durable_;
    // A name below a directory that is not there any more is not there either.
    std::erase_if(durable_, [&](const auto& entry) { return !directories_now_.contains(parent_of(entry.first)); });
    now_.clear();
    for (const auto& [name, content] : durable_) {
        auto survived = std::make_shared<Content>(Content{content->durable, content->durable});
        now_[name] = survived;
    }
    durable_ = now_;
}

}  // namespace assay::testing
