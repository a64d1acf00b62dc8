#include "store/blobs.hh"

#include <algorithm>
#include <utility>

#include "base/assert.hh"
#include "base/log.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::store {
namespace {

constexpr std::size_t digest_size = 64;

bool valid_digest(std::string_view text) {
    return text.size() == digest_size &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string parent_of(const std::string& blobs, std::string_view digest) { return blobs + "/" + std::string{digest.substr(0, 2)}; }

}  // namespace

Result<> BlobDirectories::sync_one(sys::Disk& disk, One& one, const std::string& path) {
    if (one.failed) return Error{Fault::disk_failed, path + " could not be made durable before; it is trusted again after a restart"};
    auto synced = disk.sync_directory(path);
    if (!synced && synced.error().fault() == Fault::disk_failed) {
        one.failed = true;
        log::error("blobs.directory_untrusted", {{"directory", path}, {"error", synced.error().text()},
                                                 {"remedy", "see to the disk, then start the server again"}});
    }
    return synced;
}

Result<> BlobDirectories::sync(sys::Disk& disk, const std::string& blobs, const std::string& parent, unsigned char number) {
    One& one = parents_[number];
    const std::lock_guard lock{one.mutex};
    ASSAY_CHECK(sync_one(disk, one, parent));
    if (one.placed) return ok;
    const std::lock_guard top_lock{top_.mutex};
    ASSAY_CHECK(sync_one(disk, top_, blobs));
    one.placed = true;
    return ok;
}

Result<> BlobDirectories::trusted(unsigned char number) {
    One& one = parents_[number];
    const std::lock_guard lock{one.mutex};
    if (!one.failed) return ok;
    return Error{Fault::disk_failed, "the blob's directory could not be made durable before; it is trusted again after a restart"};
}

std::vector<std::string> BlobDirectories::untrusted() const {
    std::vector<std::string> found;
    if (top_.failed) found.emplace_back();
    for (std::size_t number = 0; number < parents_.size(); ++number) {
        const auto byte = static_cast<std::byte>(number);
        if (parents_[number].failed) found.push_back(to_hex(ByteView{&byte, 1}));
    }
    return found;
}

Incoming::Incoming(sys::Disk& disk, std::shared_ptr<BlobDirectories> directories, std::string blobs, std::string temporary,
                   std::unique_ptr<sys::DiskFile> file, const Space* space)
    : disk_{&disk},
      directories_{std::move(directories)},
      blobs_{std::move(blobs)},
      temporary_{std::move(temporary)},
      file_{std::move(file)},
      space_{space} {}

Incoming::Incoming(Incoming&& other) noexcept
    : disk_{other.disk_},
      directories_{std::move(other.directories_)},
      blobs_{std::move(other.blobs_)},
      temporary_{std::exchange(other.temporary_, {})},
      file_{std::move(other.file_)},
      space_{other.space_},
      sum_{std::move(other.sum_)},
      size_{other.size_} {}

Incoming::~Incoming() {
    file_.reset();
    if (!temporary_.empty()) (void)disk_->remove(temporary_);  // What stays behind is swept at the next start.
}

Result<> Incoming::write(ByteView bytes) {
    ASSAY_ASSERT(file_ != nullptr);
    if (space_ != nullptr && space_->level() == Space::Level::spent) return Space::full();
    ASSAY_CHECK(file_->write(bytes));
    sum_.add(bytes);
    size_ += static_cast<std::int64_t>(bytes.size());
    return ok;
}

Result<sys::Fd> Incoming::open_again() const { return disk_->open_read(temporary_); }

Result<std::string> Incoming::keep() && {
    ASSAY_ASSERT(file_ != nullptr);
    ASSAY_CHECK(file_->sync_data());
    file_.reset();
    const std::string digest = std::move(sum_).hex();
    const std::string parent = parent_of(blobs_, digest);
    const auto byte = from_hex(digest.substr(0, 2));
    ASSAY_ASSERT(byte.has_value());
    const auto number = static_cast<unsigned char>(byte->front());
    ASSAY_CHECK(directories_->trusted(number));
    ASSAY_CHECK(disk_->make_directory(parent));
    ASSAY_CHECK(disk_->rename(temporary_, parent + "/" + digest));
    temporary_.clear();
    ASSAY_CHECK(directories_->sync(*disk_, blobs_, parent, number));
    return digest;
}

Blobs::Blobs(sys::Disk& disk, std::string directory, std::string temporary, const Space* space)
    : disk_{disk}, directory_{std::move(directory)}, temporary_{std::move(temporary)}, space_{space} {}

Result<Incoming> Blobs::begin() {
    const std::string path = temporary_ + "/" + to_hex(bytes_of(sys::random_bytes(16)));
    ASSAY_TRY(auto file, disk_.create(path));
    return Incoming{disk_, directories_, directory_, path, std::move(file), space_};
}

Result<std::string> Blobs::put(ByteView bytes) {
    ASSAY_TRY(Incoming incoming, begin());
    ASSAY_CHECK(incoming.write(bytes));
    return std::move(incoming).keep();
}

Result<std::string> Blobs::get(const std::string& digest, std::size_t size_max) {
    if (!valid_digest(digest)) return Error{Fault::missing, "a blob's name is 64 hex digits"};
    ASSAY_TRY(const sys::Fd file, disk_.open_read(parent_of(directory_, digest) + "/" + digest));
    ASSAY_TRY(std::string bytes, sys::read_all(file, size_max));
    if (sys::sha256_hex(bytes_of(bytes)) != digest) {
        return Error{Fault::disk_failed, "blob " + digest + ": what the disk holds does not have this digest"};
    }
    return bytes;
}

Result<bool> Blobs::contains(const std::string& digest) {
    if (!valid_digest(digest)) return false;
    const auto file = disk_.open_read(parent_of(directory_, digest) + "/" + digest);
    if (file) return true;
    if (file.error().fault() == Fault::missing) return false;
    return file.error();
}

std::vector<std::string> Blobs::untrusted() const {
    std::vector<std::string> paths;
    for (const std::string& name : directories_->untrusted()) paths.push_back(name.empty() ? directory_ : directory_ + "/" + name);
    return paths;
}

Result<> Blobs::sweep() {
    ASSAY_TRY(const std::vector<std::string> names, disk_.list(temporary_));
    for (const std::string& name : names) ASSAY_CHECK(disk_.remove(temporary_ + "/" + name));
    return ok;
}

}  // namespace assay::store
