// Keeps the head and the tail of a stream of any length in bounded memory.
#pragma once

#include <string>
#include <string_view>

#include "model/limits.hh"

namespace assay::sandbox {

class Capture {
public:
    explicit Capture(std::size_t kept_max) : head_max_{kept_max - kept_max / 2}, tail_max_{kept_max / 2} {}

    void add(std::string_view);
    std::int64_t bytes() const { return bytes_; }
    // What was kept; all in `head` when nothing was dropped. The object is spent afterwards.
    model::Captured take() &&;

private:
    std::size_t head_max_;
    std::size_t tail_max_;
    std::string head_;
    std::string tail_;      // up to twice tail_max_, cut now and then
    std::int64_t bytes_ = 0;
};

}  // namespace assay::sandbox
