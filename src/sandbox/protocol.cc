#include "sandbox/protocol.hh"

#include <algorithm>
#include <cstddef>
#include <string>

#include "base/text.hh"

namespace assay::sandbox {
namespace {

struct Range {
    const char* name;
    std::int64_t value;
    std::int64_t min;
    std::int64_t max;
};

std::size_t used_bytes(const CommandBlock& block) {
    return offsetof(CommandBlock, bytes) + std::min<std::size_t>(block.size, sizeof block.bytes);
}

bool plain(std::string_view component) { return !component.empty() && component != "." && component != ".."; }

}  // namespace

ByteView used_part(ByteView message) {
    std::size_t size = message.size();
    for (std::uint64_t word = 0; size >= sizeof word; size -= sizeof word) {
        std::memcpy(&word, message.data() + size - sizeof word, sizeof word);
        if (word != 0) break;
    }
    while (size > 1 && message[size - 1] == std::byte{}) --size;
    return message.first(std::max<std::size_t>(size, 1));
}

ByteView used_part(const ToKeeper& order) {
    const bool more =
        order.has_submission != 0 || order.has_grader != 0 || order.binds_count != 0 || order.files_count != 0;
    const ByteView all = std::as_bytes(std::span{&order, 1});
    if (more) return used_part(all);
    return all.first(offsetof(ToKeeper, command) + used_bytes(order.command));
}

ByteView used_part(const Assignment& assignment) {
    return std::as_bytes(std::span{&assignment, 1})
        .first(offsetof(Assignment, command) + used_bytes(assignment.command));
}

bool valid_inside(std::string_view path) { return path.size() <= path_bytes_max && path.starts_with('/') && valid_below(path.substr(1)); }

bool valid_below(std::string_view path) {
    if (path.empty() || path.size() > path_bytes_max) return false;
    for (const std::string_view component : split(path, '/')) {
        if (!plain(component)) return false;
        for (const char c : component) {
            if (static_cast<unsigned char>(c) < 0x20) return false;
        }
    }
    return true;
}

Result<> check(const model::Limits& limits) {
    constexpr std::int64_t time_ms_max = 7LL * 24 * 3600 * 1000;
    constexpr std::int64_t size_bytes_max = 1LL << 44;
    const Range ranges[] = {
        {"cpu", limits.cpu_ms, 1, time_ms_max},
        {"wall", limits.wall_ms, 1, time_ms_max},
        {"memory", limits.memory_bytes, memory_bytes_min, size_bytes_max},
        {"processes", limits.processes, 1, 1 << 20},
        {"output", limits.output_bytes, 0, size_bytes_max},
        {"disk", limits.disk_bytes, 4096, size_bytes_max},
        {"open_files", limits.open_files, 8, 1 << 20},
        {"cores", limits.cores, 0, 4096},
        {"io", limits.io_bytes, 0, size_bytes_max},
    };
    for (const Range& range : ranges) {
        if (range.value >= range.min && range.value <= range.max) continue;
        return Error{Fault::invalid, std::string{"limit `"} + range.name + "` is " + std::to_string(range.value) +
                                         "; allowed is " + std::to_string(range.min) + " to " + std::to_string(range.max)};
    }
    return ok;
}

Result<> check(const ToKeeper& order, std::size_t descriptors, bool binds_allowed) {
    const auto wrong = [](const char* what) { return Error{Fault::invalid, std::string{"sandbox request: "} + what}; };
    ASSAY_CHECK(check(order.limits));
    if (!valid_stage(order.stage.view())) return wrong("the stage's name is not 1 to 64 of a-z0-9_-");
    if (!order.report.view().empty() && !valid_component(order.report.view())) return wrong("the report is not a plain file name");
    if (!order.report.view().empty() && order.trusted == 0) return wrong("only a trusted stage has a report");
    if (order.has_grader != 0 && order.trusted == 0) return wrong("only a trusted stage sees the grader");
    if (order.seal != 0 && order.trusted != 0) return wrong("a trusted stage is never sealed");
    if (order.again != 0 && order.seal == 0) return wrong("only a stage that is sealed comes in place of itself");
    if (order.guests != 0 && order.trusted == 0) return wrong("only a trusted stage has guests");
    if (order.disk_scratch != 0 && order.trusted != 0)
        return wrong("a trusted stage writes to memory; scratch on disk is for an untrusted one");
    if (order.stdin_pipe != 0 && order.has_stdin != 0) return wrong("the input is a file or a pipe, not both");
    if (order.files_count > files_max) return wrong("more than 32 files");
    if (order.files_count > 0 && order.trusted != 0) return wrong("files come from /work, which a trusted stage has not");
    for (std::size_t i = 0; i < order.files_count; ++i) {
        if (!valid_below(order.files[i].view())) return wrong("a file to hand back is not a plain relative path");
    }
    if (order.binds_count > binds_max) return wrong("more than 8 binds");
    const bool special = order.binds_count > 0 || order.host_network != 0;
    if (special && (!binds_allowed || order.trusted != 0)) return wrong("binds and the host's network are for single commands");
    for (std::size_t i = 0; i < order.binds_count; ++i) {
        if (!valid_inside(order.binds[i].inside.view())) return wrong("a bind's inside path is not a plain absolute path");
    }
    if (order.command.size > sizeof order.command.bytes) return wrong("the command is longer than its place");
    const bool plain = order.trusted == 0 && !special && order.has_submission == 0 && order.again == 0 &&
                       order.stdin_pipe == 0 && order.disk_scratch == 0;
    if (order.taken != 0 && (!plain || order.has_stdin != 0 || order.command.size != 0))
        return wrong("what was offered is for a plain command");
    const std::size_t expected = (order.command.size == 0 && order.taken == 0) + (order.has_stdin != 0) +
                                 (order.has_submission != 0) + (order.has_grader != 0) + order.binds_count;
    if (descriptors != expected) return wrong("descriptors are missing");
    return ok;
}

Result<> check_guest(const ToKeeper& order) {
    const bool plain = order.trusted == 0 && order.seal == 0 && order.has_submission == 0 && order.binds_count == 0 && order.host_network == 0;
    if (order.disk_scratch != 0)
        return Error{Fault::invalid, "sandbox request: a guest writes to memory; scratch on disk is for a stage"};
    if (!plain) return Error{Fault::invalid, "sandbox request: a guest is a plain untrusted command"};
    return ok;
}

}  // namespace assay::sandbox
