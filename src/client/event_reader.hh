// EventReader: server-sent events (HTML Living Standard, 9.2) out of bytes that arrive. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace assay::client {

struct ServerEvent {
    std::string id;    // of the stream so far: an event without one keeps the last
    std::string name;  // "message" when it has none
    std::string data;
};

class EventReader {
public:
    static constexpr std::size_t line_bytes_max = 1u << 20;
    static constexpr std::size_t data_bytes_max = 4u << 20;

    // Calls `take` for each event that is complete. Errors: too_large (a line or an event), or what `take` returned.
    Result<> feed(std::string_view bytes, const std::function<Result<>(const ServerEvent&)>& take);
    const std::string& last_id() const { return event_.id; }

private:
    Result<> line(std::string_view, const std::function<Result<>(const ServerEvent&)>& take);

    std::string partial_;
    bool skip_line_feed_ = false;  // the end of line before it was a CR
    bool has_data_ = false;
    ServerEvent event_;
};

}  // namespace assay::client
