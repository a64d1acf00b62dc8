// A type per id, so that one kind can never be passed for another by mistake.
//
// Text ids are what people see or type; number ids are the store's own keys. Neither is ever reused.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace assay {

template <class Tag>
class TextId {
public:
    TextId() = default;
    explicit TextId(std::string text) : text_{std::move(text)} {}
    const std::string& text() const { return text_; }
    bool empty() const { return text_.empty(); }
    auto operator<=>(const TextId&) const = default;

private:
    std::string text_;
};

template <class Tag>
struct NumberId {
    std::int64_t value = 0;  // 1-based; 0 = none yet.
    auto operator<=>(const NumberId&) const = default;
};

using CourseId = TextId<struct CourseTag>;            // 1..64 of A-Za-z0-9._-, e.g. "ICS2024"
using ModuleId = TextId<struct ModuleTag>;            // the same, e.g. "PA1"
using ParticipantId = TextId<struct ParticipantTag>;  // the roster's `id`: 1..128 bytes of UTF-8 without control characters
using SubmissionId = TextId<struct SubmissionTag>;    // 16 of A-Za-z0-9, random

using JobId = NumberId<struct JobTag>;
using RevisionId = NumberId<struct RevisionTag>;

// Whether `text` may be the id of a course or module: 1..64 of A-Za-z0-9._-, not starting with a dot.
bool valid_name(std::string_view text);

}  // namespace assay

template <class Tag>
struct std::hash<assay::TextId<Tag>> {
    std::size_t operator()(const assay::TextId<Tag>& id) const { return std::hash<std::string>{}(id.text()); }
};
