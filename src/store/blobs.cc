#include "store/blobs.hh"

#include <algorithm>
#include <utility>

#include "base/assert.hh"
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

Incoming::Incoming(sys::Disk& disk, std::shared_ptr<DurableParents> parents, std::string blobs, std::string temporary,
                   std::unique_ptr<sys::DiskFile> file, OnFailure on_failure)
    : disk_{&disk},
      parents_{std::move(parents)},
      blobs_{std::move(blobs)},
      temporary_{std::move(temporary)},
      file_{std::move(file)},
      on_failure_{std::move(on_failure)} {}

Incoming::Incoming(Incoming&& other) noexcept
    : disk_{other.disk_},
      parents_{std::move(other.parents_)},
      blobs_{std::move(other.blobs_)},
      temporary_{std::exchange(other.temporary_, {})},
      file_{std::move(other.file_)},
      on_failure_{std::move(other.on_failure_)},
      sum_{std::move(other.sum_)},
      size_{other.size_} {}

Incoming::~Incoming() {
    file_.reset();
    if (!temporary_.empty()) (void)disk_->remove(temporary_);  // What stays behind is swept at the next start.
}

Result<> Incoming::write(ByteView bytes) {
    ASSAY_ASSERT(file_ != nullptr);
    ASSAY_CHECK(told(file_->write(bytes)));
    sum_.add(bytes);
    size_ += static_cast<std::int64_t>(bytes.size());
    return ok;
}

Result<sys::Fd> Incoming::open_again() const { return disk_->open_read(temporary_); }

Result<std::string> Incoming::keep() && { return told(std::move(*this).make_durable()); }

Result<std::string> Incoming::make_durable() && {
    ASSAY_ASSERT(file_ != nullptr);
    ASSAY_CHECK(file_->sync_data());
    file_.reset();
    const std::string digest = std::move(sum_).hex();
    const std::string parent = parent_of(blobs_, digest);
    ASSAY_CHECK(disk_->make_directory(parent));
    ASSAY_CHECK(disk_->rename(temporary_, parent + "/" + digest));
    temporary_.clear();
    ASSAY_CHECK(disk_->sync_directory(parent));

    const auto byte = from_hex(digest.substr(0, 2));
    ASSAY_ASSERT(byte.has_value());
    std::atomic<bool>& durable = (*parents_)[static_cast<unsigned char>(byte->front())];
    if (!durable.load()) {
        ASSAY_CHECK(disk_->sync_directory(blobs_));
        durable.store(true);
    }
    return digest;
}

Blobs::Blobs(sys::Disk& disk, std::string directory, std::string temporary, OnFailure on_failure)
    : disk_{disk}, directory_{std::move(directory)}, temporary_{std::move(temporary)}, on_failure_{std::move(on_failure)} {}

Result<Incoming> Blobs::begin() {
    const std::string path = temporary_ + "/" + to_hex(bytes_of(sys::random_bytes(16)));
    ASSAY_TRY(auto file, disk_.create(path));
    return Incoming{disk_, parents_, directory_, path, std::move(file), on_failure_};
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

Result<> Blobs::sweep() {
    ASSAY_TRY(const std::vector<std::string> names, disk_.list(temporary_));
    for (const std::string& name : names) ASSAY_CHECK(disk_.remove(temporary_ + "/" + name));
    return ok;
}

}  // namespace assay::store
