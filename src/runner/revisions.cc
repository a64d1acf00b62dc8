#include "runner/revisions.hh"

#include <algorithm>

namespace assay::runner {

std::shared_ptr<const sys::Fd> Revisions::find(const std::string& digest) {
    const std::lock_guard lock{mutex_};
    const auto found = std::ranges::find(entries_, digest, &Entry::digest);
    if (found == entries_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found);
    return entries_.front().file;
}

void Revisions::keep(const std::string& digest, std::shared_ptr<const sys::Fd> file, std::int64_t size_bytes) {
    const std::lock_guard lock{mutex_};
    if (size_bytes > bytes_max_ || std::ranges::find(entries_, digest, &Entry::digest) != entries_.end()) return;
    entries_.push_front({digest, std::move(file), size_bytes});
    bytes_ += size_bytes;
    while (bytes_ > bytes_max_) {
        bytes_ -= entries_.back().size_bytes;
        entries_.pop_back();
    }
}

}  // namespace assay::runner
