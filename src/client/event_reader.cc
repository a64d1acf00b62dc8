#include "client/event_reader.hh"

#include <algorithm>

#include "base/text.hh"

namespace assay::client {

Result<> EventReader::feed(std::string_view bytes, const std::function<Result<>(const ServerEvent&)>& take) {
    while (!bytes.empty()) {
        if (skip_line_feed_ && bytes.front() == '\n') bytes.remove_prefix(1);
        skip_line_feed_ = false;
        const std::size_t end = bytes.find_first_of("\r\n");
        const std::string_view part = bytes.substr(0, end);
        if (partial_.size() + part.size() > line_bytes_max) {
            return Error{Fault::too_large, "the server's event has a line longer than " + size_text(line_bytes_max)};
        }
        partial_ += part;
        if (end == std::string_view::npos) return ok;
        skip_line_feed_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        std::string whole;
        whole.swap(partial_);
        ASSAY_CHECK(line(whole, take));
    }
    return ok;
}

Result<> EventReader::line(std::string_view text, const std::function<Result<>(const ServerEvent&)>& take) {
    if (text.empty()) {
        const ServerEvent complete = event_;
        const bool any = has_data_;
        event_.name.clear();
        event_.data.clear();
        has_data_ = false;
        if (!any) return ok;
        return take({complete.id, complete.name.empty() ? "message" : complete.name, complete.data});
    }
    if (text.starts_with(':')) return ok;  // A beat.
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view name = text.substr(0, colon);
    std::string_view value = text.substr(std::min(colon + 1, text.size()));
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "data") {
        if (event_.data.size() + value.size() + 1 > data_bytes_max) {
            return Error{Fault::too_large, "the server's event is larger than " + size_text(data_bytes_max)};
        }
        if (has_data_) event_.data += '\n';
        event_.data += value;
        has_data_ = true;
    } else if (name == "event") {
        event_.name = value;
    } else if (name == "id" && !value.contains('\0')) {
        event_.id = value;
    }
    return ok;
}

}  // namespace assay::client
