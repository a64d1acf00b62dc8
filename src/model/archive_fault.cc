#include "model/archive_fault.hh"

#include <algorithm>

namespace assay::model {
namespace {

struct Row {
    ArchiveFault value;
    std::string_view text;
    Refusal refusal;
    std::size_t arguments = 0;
};

using enum ArchiveFault;
#define F(name, ...) {name, #name, Refusal::__VA_ARGS__}

constexpr Row table[] = {
    F(no_bytes, empty), F(only_zeros, empty), F(nothing_left, empty),
    F(read_as_text, not_an_archive), F(html_page, not_an_archive), F(plain_text, not_an_archive),
    F(unknown_format, not_an_archive, 1), F(no_tar, not_an_archive),
    F(format_unread, format, 2), F(format_not_taken, format, 2), F(sparse, format), F(device, format), F(member_type, format, 1),
    F(content_unexpected, format), F(global_header, format, 1),
    F(encrypted, format), F(method, format, 1), F(zip_large, format), F(link_not_taken, format), F(no_checksum, format, 1),
    F(skippable_frame, format), F(window_too_large, format, 2),
    F(data_cut, damaged, 1), F(end_missing, damaged), F(checksum_wrong, damaged, 1), F(data_broken, damaged, 1),
    F(header_broken, damaged, 1), F(trailing, damaged, 1), F(headers_differ, damaged), F(text_mode, damaged), F(reading_memory, damaged, 1),
    F(reading_time, damaged, 1), F(reading_crashed, damaged, 1),
    F(headers_too_large, unsafe), F(empty_members, unsafe), F(entries_overlap, unsafe), F(name_empty, unsafe), F(name_too_long, unsafe, 1),
    F(name_too_deep, unsafe, 1), F(name_absolute, unsafe), F(name_upward, unsafe), F(name_encoding, unsafe, 1),
    F(name_unmarked, unsafe), F(name_invisible, unsafe), F(name_backslash, unsafe), F(hard_link, unsafe, 1), F(twice, unsafe, 1), F(names_meet, unsafe, 2),
    F(below_no_folder, unsafe, 1), F(link_target, unsafe, 1), F(link_absolute, unsafe, 1), F(link_upward, unsafe, 1),
    F(link_outside, unsafe, 1),
    F(entries, too_many_entries, 1), F(names_too_large, too_many_entries),
    F(unpacked, unpacks_too_large, 1), F(file_too_large, unpacks_too_large, 1), F(grows_too_fast, unpacks_too_large, 1), F(padding, unpacks_too_large),
    F(required, required_missing, 1), F(required_below, required_missing, 2),
};
#undef F

constexpr bool in_order() {
    std::size_t i = 0;
    for (const Row& row : table) {
        if (static_cast<std::size_t>(row.value) != i++) return false;
    }
    return i == static_cast<std::size_t>(required_below) + 1;
}
static_assert(in_order());  // A value is its own index.

const Row& row_of(ArchiveFault fault) { return table[static_cast<std::size_t>(fault)]; }

}  // namespace

std::string_view to_string(ArchiveFault fault) { return row_of(fault).text; }
Refusal refusal_of(ArchiveFault fault) { return row_of(fault).refusal; }
std::size_t argument_count(ArchiveFault fault) { return row_of(fault).arguments; }

template <>
std::optional<ArchiveFault> parse<ArchiveFault>(std::string_view text) {
    const auto* const row = std::ranges::find(table, text, &Row::text);
    if (row == std::end(table)) return std::nullopt;
    return row->value;
}

template <>
std::span<const ArchiveFault> all<ArchiveFault>() {
    static const auto values = [] {
        std::array<ArchiveFault, std::size(table)> list{};
        std::ranges::transform(table, list.begin(), &Row::value);
        return list;
    }();
    return values;
}

}  // namespace assay::model
