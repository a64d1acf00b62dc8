// What `assay check URL` says of the way to a server. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "wording/wording.hh"

namespace assay::wording {

// What is looked at; the id stands in JSON and never changes.
enum class WayStep : unsigned char {
    reach,
    between,
    body_size,
    parts,
    slow_body,
    request_buffering,
    event_stream,
    expect,
    authorization,
    methods,
    clock,
    encryption,
    last_ = encryption
};
std::string_view id_of(WayStep);
std::string name(Language, WayStep);

enum class WaySaid : unsigned char {
    reached,  // {0} address, {1} version
    between_none,
    between,  // {0} product, {1} its Server header
    between_via,  // {0} Via; after one of the two above
    size_passes,  // {0} size
    size_refused,  // {0} passed, {1} refused, {2} who, {3} status
    size_broke,  // {0} passed, {1} refused, {2} why
    size_cut,  // {0} passed
    parts_pass,  // {0} size
    slow_passes,  // {0} pause
    slow_refused,  // {0} pause, {1} who, {2} status
    slow_broke,  // {0} pause, {1} why
    streamed,
    gathered,
    events_pass,
    events_late,
    continues,
    no_continue,
    authorized,
    unauthorized,
    methods_pass,  // {0} methods
    methods_lost,  // {0} methods
    clock_right,  // {0} seconds
    clock_wrong,  // {0} seconds
    plain_here,
    plain,
    not_known,  // {0} why
    // Cures
    cure_reach,
    cure_parts,
    cure_authorization,
    cure_methods,
    cure_expect,
    cure_clock,
    cure_encryption,
    // The end
    fit,
    fit_with_warnings,
    not_fit,
    looking_at,  // {0} what
    last_ = looking_at,
};
// {0}, {1}, … are replaced by the arguments as they are: the caller escapes.
std::string say(Language, WaySaid, std::initializer_list<std::string_view> arguments = {});

}  // namespace assay::wording
