#include "sandbox/capture.hh"

#include <algorithm>

namespace assay::sandbox {

void Capture::add(std::string_view text) {
    bytes_ += static_cast<std::int64_t>(text.size());
    const std::size_t to_head = std::min(text.size(), head_max_ - head_.size());
    head_.append(text.substr(0, to_head));
    text.remove_prefix(to_head);
    if (text.size() > tail_max_) text.remove_prefix(text.size() - tail_max_);
    tail_.append(text);
    if (tail_.size() >= 2 * tail_max_ && tail_.size() > tail_max_) tail_.erase(0, tail_.size() - tail_max_);  // Rarely, so that a byte costs O(1).
}

model::Captured Capture::take() && {
    if (tail_.size() > tail_max_) tail_.erase(0, tail_.size() - tail_max_);
    model::Captured captured;
    captured.bytes = bytes_;
    captured.dropped_bytes = bytes_ - static_cast<std::int64_t>(head_.size() + tail_.size());
    captured.head = std::move(head_);
    if (captured.dropped_bytes == 0) captured.head += tail_;
    else captured.tail = std::move(tail_);
    return captured;
}

}  // namespace assay::sandbox
