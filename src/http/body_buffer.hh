// BodyBuffer: memory for one read of a body, there only while bytes are. All of a server share an amount: the more of them there
// are, the smaller each new one is. Threading: one loop; the count is everybody's.
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
    explicit BodyBuffer(std::atomic<std::size_t>& count) : count_{count} {}
    ~BodyBuffer() { release(); }
    BodyBuffer(const BodyBuffer&) = delete;
    BodyBuffer& operator=(const BodyBuffer&) = delete;

    // At most `size_max`, and at most a share of `all_bytes`.
    std::span<std::byte> get(std::size_t size_max, std::size_t all_bytes) {
        if (!memory_) {
            const std::size_t share = all_bytes / (count_.fetch_add(1, std::memory_order_relaxed) + 1);
            size_ = std::min(size_max, std::max(share, body_read_bytes_min));
            memory_ = std::make_unique_for_overwrite<std::byte[]>(size_);
        }
        return {memory_.get(), std::min(size_, size_max)};
    }
    bool there() const { return memory_ != nullptr; }
    void release() {
        if (std::exchange(memory_, nullptr)) count_.fetch_sub(1, std::memory_order_relaxed);
    }

private:
    std::atomic<std::size_t>& count_;
    std::unique_ptr<std::byte[]> memory_;
    std::size_t size_ = 0;
};

}  // namespace assay::http
