#include "intake/spool.hh"

#include <vector>

#include "base/assert.hh"
#include "http/shed.hh"
#include "sys/clock.hh"

namespace assay::intake {

Result<> Spools::take_place(Holder* holder) {
    const std::lock_guard lock{mutex_};
    const std::size_t taken = files_.load();
    if (taken >= limits_.files_max && (taken >= limits_.files_max + leaving_files_max || !shed_slowest())) {
        return Error{Fault::busy, "as many uploads are being written as this server has room for"};
    }
    ++files_;
    if (holder->shed) holders_.insert(holder);
    return ok;
}

bool Spools::shed_slowest() {
    std::vector<Holder*> there;
    std::vector<http::Sender> senders;
    for (Holder* const holder : holders_) {
        if (holder->leaving) continue;
        there.push_back(holder);
        senders.push_back({.body_began_ns = holder->began_ns, .body_bytes = holder->bytes.load()});
    }
    const sys::TimePoint now = sys::system_clock().now();
    const auto slowest = http::whom_to_shed(senders, now);
    if (!slowest) return false;
    const std::int64_t age_ns = now.time_since_epoch().count() - senders[*slowest].body_began_ns;
    const double age_s = static_cast<double>(age_ns) / 1e9;
    if (static_cast<double>(senders[*slowest].body_bytes) >= static_cast<double>(shed_rate_bytes_per_s) * age_s) return false;
    there[*slowest]->leaving = true;
    there[*slowest]->shed();  // Only makes a note for the connection's own loop.
    return true;
}

Spool::Spool(Spools& all, std::function<void()> shed) : all_{all} {
    holder_.shed = std::move(shed);
    holder_.began_ns = sys::system_clock().now().time_since_epoch().count();
}

Spool::~Spool() {
    stop_holding();
    all_.memory_bytes_ -= held_.size();
    if (counted_) --all_.files_;
}

// Its bytes are there, or nobody wants them: it is no slow sender any more.
void Spool::stop_holding() {
    const std::lock_guard lock{all_.mutex_};
    all_.holders_.erase(&holder_);
}

bool Spool::stays_in_memory(std::size_t more) const {
    const SpoolLimits& limits = all_.limits_;
    return !file_ && held_.size() + more <= limits.held_bytes_max && all_.memory_bytes_ + more <= limits.memory_bytes_max;
}

Result<> Spool::write(ByteView bytes) {
    holder_.bytes += static_cast<std::int64_t>(bytes.size());
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
        ASSAY_CHECK(all_.take_place(&holder_));
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
    stop_holding();
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
