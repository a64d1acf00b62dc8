// BodyBuffer: memory for one read of a body, there only while bytes are. All of a server share an amount: the less is left of it,
// the smaller is a new one; beyond the amount each has `body_read_bytes_min`. A few whole ones are kept for whoever comes next:
// memory that is new to the process is cleared by the kernel first, which costs as much as receiving into it.
// Threading: a buffer belongs to one thread at a time; BodyMemory is everybody's.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace assay::http {

constexpr std::size_t body_read_bytes_min = 16u << 10;  // however many bodies arrive at once
constexpr std::size_t body_read_bytes_first = 64u << 10;  // on a loop's thread, which only finds out what a body is
constexpr std::size_t body_buffers_kept_max = 4;  // about as many as threads that receive
// In the kernel, of all senders together, before one is looked after: the more at once, the fewer hand-overs and acknowledgements;
// the more senders, the less of each.
constexpr std::int64_t pending_bytes_max = 64 << 20;
constexpr std::int64_t pending_bytes_min = 64 << 10;  // of one
constexpr std::int64_t pending_bytes_most = 4 << 20;

class BodyMemory {
public:
    // One buffer has at most `read_bytes`; all of them about `all_bytes`, and what is kept beside them.
    BodyMemory(std::size_t read_bytes, std::size_t all_bytes) : read_bytes_{read_bytes}, all_bytes_{all_bytes} {
        kept_.reserve(body_buffers_kept_max);
    }
    // A body has begun to arrive, or is over.
    void count_sender(int more) { senders_.fetch_add(more, std::memory_order_relaxed); }
    // So many bytes of a body are worth the way to another thread.
    std::int64_t wanted_bytes() const {
        const std::int64_t share =
            pending_bytes_max / std::max<std::int64_t>(1, senders_.load(std::memory_order_relaxed));
        return std::clamp(share, pending_bytes_min, pending_bytes_most);
    }
    std::size_t used_bytes() const { return used_bytes_.load(std::memory_order_relaxed); }

private:
    friend class BodyBuffer;
    using Memory = std::unique_ptr<std::byte[]>;

    std::pair<Memory, std::size_t> take(std::size_t most) {
        const std::size_t left = all_bytes_ - std::min(all_bytes_, used_bytes());
        const std::size_t size = std::min({most, read_bytes_, std::max(left / 8, body_read_bytes_min)});
        used_bytes_.fetch_add(size, std::memory_order_relaxed);
        if (size == read_bytes_) {
            const std::lock_guard lock{mutex_};
            if (!kept_.empty()) {
                Memory memory = std::move(kept_.back());
                kept_.pop_back();
                return {std::move(memory), size};
            }
        }
        return {std::make_unique_for_overwrite<std::byte[]>(size), size};
    }
    void give_back(Memory memory, std::size_t size) {
        used_bytes_.fetch_sub(size, std::memory_order_relaxed);
        if (size != read_bytes_) return;
        const std::lock_guard lock{mutex_};
        if (kept_.size() < body_buffers_kept_max) kept_.push_back(std::move(memory));
    }

    const std::size_t read_bytes_;
    const std::size_t all_bytes_;
    std::atomic<std::size_t> used_bytes_{0};  // by those that are lent
    std::atomic<std::int64_t> senders_{0};
    std::mutex mutex_;
    std::vector<Memory> kept_;  // each of read_bytes_
};

class BodyBuffer {
public:
    explicit BodyBuffer(BodyMemory& all) : all_{all} {}
    ~BodyBuffer() { release(); }
    BodyBuffer(const BodyBuffer&) = delete;
    BodyBuffer& operator=(const BodyBuffer&) = delete;

    // At most so many bytes; what the last call gave is no longer used.
    std::span<std::byte> get(std::size_t most) {
        if (size_ < most) release();
        if (!memory_) std::tie(memory_, size_) = all_.take(most);
        return {memory_.get(), std::min(size_, most)};
    }
    bool there() const { return memory_ != nullptr; }
    void release() {
        if (memory_) all_.give_back(std::move(memory_), std::exchange(size_, 0));
    }

private:
    BodyMemory& all_;
    std::unique_ptr<std::byte[]> memory_;
    std::size_t size_ = 0;
};

}  // namespace assay::http
