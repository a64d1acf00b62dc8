// BodyBuffer: memory for one read of a body, there only while bytes are. All of a server share an amount: the less is left of it,
// the smaller is a new one; beyond the amount each has `body_read_bytes_min`. Threading: one thread at a time; `used` is everybody's.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace assay::http {

constexpr std::size_t body_read_bytes_min = 16u << 10;  // however many bodies arrive at once

class BodyBuffer {
public:
    explicit BodyBuffer(std::atomic<std::size_t>& used_bytes) : used_bytes_{used_bytes} {}
    ~BodyBuffer() { release(); }
    BodyBuffer(const BodyBuffer&) = delete;
    BodyBuffer& operator=(const BodyBuffer&) = delete;

    // At most `size_max`, of `all_bytes` for all.
    std::span<std::byte> get(std::size_t size_max, std::size_t all_bytes) {
        if (!memory_) {
            const std::size_t left = all_bytes - std::min(all_bytes, used_bytes_.load(std::memory_order_relaxed));
            size_ = std::min(size_max, std::max(left / 8, body_read_bytes_min));
            used_bytes_.fetch_add(size_, std::memory_order_relaxed);
            memory_ = std::make_unique_for_overwrite<std::byte[]>(size_);
        }
        return {memory_.get(), std::min(size_, size_max)};
    }
    bool there() const { return memory_ != nullptr; }
    void release() {
        if (std::exchange(memory_, nullptr)) used_bytes_.fetch_sub(size_, std::memory_order_relaxed);
    }

private:
    std::atomic<std::size_t>& used_bytes_;
    std::unique_ptr<std::byte[]> memory_;
    std::size_t size_ = 0;
};

}  // namespace assay::http
