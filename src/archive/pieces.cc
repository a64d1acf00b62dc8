#include "archive/pieces.hh"

#include <algorithm>

#include "base/assert.hh"

namespace assay::archive {

Pieces::Pieces(Kind kind, Sink sink, int threads) : kind_{std::move(kind)}, sink_{std::move(sink)} {
    ASSAY_ASSERT(threads >= 1);
    filling_.reserve(kind_.piece_bytes);
    // A piece may come out as large as it went in. One more slot than threads, so that none waits while the oldest is written.
    const int by_memory = static_cast<int>(in_flight_bytes_max / (2 * kind_.piece_bytes)) - 1;
    const int count = std::min({threads, threads_max, by_memory});
    if (count <= 1) {
        own_ = kind_.make_coder();
        return;
    }
    for (int i = 0; i < count + 1; ++i) free_.push_back(std::make_unique<Slot>());
    for (int i = 0; i < count; ++i) {
        threads_.emplace_back([this, coder = std::shared_ptr<PieceCoder>{kind_.make_coder()}] { work(*coder); });
    }
}

Pieces::~Pieces() {
    const std::lock_guard lock{mutex_};
    ending_ = true;
    waiting_.clear();
    work_there_.notify_all();
}  // The threads, declared last, are joined first.

void Pieces::work(PieceCoder& coder) {
    std::unique_lock lock{mutex_};
    for (;;) {
        work_there_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
        if (ending_) return;
        Slot& slot = *waiting_.front();
        waiting_.pop_front();
        lock.unlock();
        slot.form.clear();
        Result<> made = coder.append(slot.form, slot.piece);
        lock.lock();
        slot.made = std::move(made);
        slot.done = true;
        piece_done_.notify_one();
    }
}

Result<> Pieces::add(ByteView bytes) {
    while (!bytes.empty()) {
        const std::size_t count = std::min(bytes.size(), kind_.piece_bytes - filling_.size());
        filling_ += text_of(bytes.first(count));
        bytes = bytes.subspan(count);
        if (filling_.size() == kind_.piece_bytes) ASSAY_CHECK(flush());
    }
    return ok;
}

Result<> Pieces::finish() {
    if (!filling_.empty()) ASSAY_CHECK(flush());
    while (!in_order_.empty()) ASSAY_CHECK(write_oldest());
    return ok;
}

Result<> Pieces::flush() {
    if (!begun_ && !kind_.first.empty()) ASSAY_CHECK(sink_(bytes_of(kind_.first)));
    begun_ = true;
    if (own_) {
        own_form_.clear();
        ASSAY_CHECK(own_->append(own_form_, filling_));
        filling_.clear();
        return sink_(bytes_of(own_form_));
    }
    if (free_.empty()) ASSAY_CHECK(write_oldest());
    std::unique_ptr<Slot> slot = std::move(free_.back());
    free_.pop_back();
    slot->piece.swap(filling_);
    slot->done = false;
    filling_.clear();
    filling_.reserve(kind_.piece_bytes);
    {
        const std::lock_guard lock{mutex_};
        waiting_.push_back(slot.get());
    }
    work_there_.notify_one();
    in_order_.push_back(std::move(slot));
    return ok;
}

Result<> Pieces::write_oldest() {
    std::unique_ptr<Slot> slot = std::move(in_order_.front());
    in_order_.pop_front();
    {
        std::unique_lock lock{mutex_};  // Only for what a processor takes: a coder waits for nobody.
        piece_done_.wait(lock, [&] { return slot->done; });
    }
    free_.push_back(std::move(slot));
    ASSAY_CHECK(free_.back()->made);
    return sink_(bytes_of(free_.back()->form));
}

}  // namespace assay::archive
