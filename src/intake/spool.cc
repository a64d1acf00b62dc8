#include "intake/spool.hh"

#include "base/assert.hh"

namespace assay::intake {

Spool::~Spool() {
    all_.memory_bytes_ -= held_.size();
    if (counted_) --all_.files_;
}

bool Spool::stays_in_memory(std::size_t more) const {
    const SpoolLimits& limits = all_.limits_;
    return !file_ && held_.size() + more <= limits.held_bytes_max && all_.memory_bytes_ + more <= limits.memory_bytes_max;
}

Result<> Spool::write(ByteView bytes) {
    if (stays_in_memory(bytes.size())) {
        all_.memory_bytes_ += bytes.size();
        held_ += text_of(bytes);
        return ok;
    }
    ASSAY_CHECK(spill());
    return file_->write(bytes);
}

Result<> Spool::spill() {
    if (file_) return ok;
    if (!counted_) {
        if (all_.files_.fetch_add(1) >= all_.limits_.files_max) {
            --all_.files_;
            return Error{Fault::busy, "as many uploads are being written as this server has room for"};
        }
        counted_ = true;
    }
    ASSAY_TRY(auto file, all_.blobs_.begin());
    file_.emplace(std::move(file));
    ASSAY_CHECK(file_->write(bytes_of(held_)));
    all_.memory_bytes_ -= held_.size();
    std::string{}.swap(held_);
    return ok;
}

Result<sys::Fd> Spool::open_to_read() {
    ASSAY_CHECK(spill());
    return file_->open_again();
}

std::string Spool::digest() const {
    ASSAY_ASSERT(file_.has_value());
    return file_->digest();
}

Result<std::string> Spool::keep() && {
    ASSAY_ASSERT(file_.has_value());
    return std::move(*file_).keep();
}

}  // namespace assay::intake
