#include "admission/sync_probe.hh"

#include <algorithm>

#include "sys/file.hh"

namespace assay::admission {
namespace {

std::int64_t ms_between(sys::TimePoint from, sys::TimePoint to) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
}

}  // namespace

SyncProbe::SyncProbe(const std::string& directory, const sys::Clock& clock) : clock_{clock} {
    auto file = sys::anonymous_file(directory);
    if (!file) return;
    file_ = std::move(file).value();
    thread_ = std::thread{[this] { run(); }};
}

SyncProbe::~SyncProbe() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void SyncProbe::ask() {
    const std::lock_guard lock{mutex_};
    if (!file_ || begun_) return;
    begun_ = clock_.now();
    wake_.notify_one();
}

void SyncProbe::forget() {
    const std::lock_guard lock{mutex_};
    last_ms_.reset();
}

std::optional<std::int64_t> SyncProbe::took_ms() const {
    const std::lock_guard lock{mutex_};
    if (!begun_) return last_ms_;
    return std::max(last_ms_.value_or(0), ms_between(*begun_, clock_.now()));
}

void SyncProbe::run() {
    std::unique_lock lock{mutex_};
    for (;;) {
        wake_.wait(lock, [this] { return stopping_ || begun_; });
        if (stopping_) return;
        lock.unlock();
        // In place: it neither grows nor asks for blocks, after the first time.
        const bool written = sys::rewind(file_) && sys::write_all(file_, std::string_view{"x"}) && sys::sync_data(file_);
        lock.lock();
        // A disk that is full or broken is told elsewhere; it is not slow.
        if (written) last_ms_ = ms_between(*begun_, clock_.now());
        begun_.reset();
    }
}

}  // namespace assay::admission
