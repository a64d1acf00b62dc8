#include "diagnosis/counters.hh"

#include <fmt/format.h>

#include "base/text.hh"
#include "sys/file.hh"

namespace assay::diagnosis {
namespace {

constexpr std::size_t text_bytes_max = 1 << 20;

}  // namespace

std::string text_at(const std::string& path) {
    auto text = sys::read_file(path, text_bytes_max);
    return text ? std::move(*text) : std::string{};
}

std::optional<std::int64_t> field_number(std::string_view text, std::string_view name) {
    const std::string_view value = field_of(text, name);
    return number_of(value.substr(0, value.find(' ')));
}

std::map<int, Stat> everybody() {
    std::map<int, Stat> all;
    const auto names = sys::list_directory("/proc");
    if (!names) return all;
    for (const std::string& name : *names) {
        if (!number_of(name)) continue;
        if (auto stat = stat_of(text_at("/proc/" + name + "/stat"))) all.emplace(stat->pid, *stat);
    }
    return all;
}

std::vector<int> children_of(int pid) {
    std::vector<int> children;
    const std::string tasks = fmt::format("/proc/{}/task", pid);
    const auto names = sys::list_directory(tasks);
    if (!names) return children;
    for (const std::string& name : *names) {
        const std::string listed = text_at(tasks + "/" + name + "/children");
        for (const std::string_view one : split(listed, ' ')) {
            if (const auto child = number_of(trimmed(one))) children.push_back(static_cast<int>(*child));
        }
    }
    return children;
}

Counters counters_of(int pid, int tid) {
    const std::string folder = fmt::format("/proc/{}/task/{}/", pid, tid);
    const Scheduled scheduled = scheduled_of(text_at(folder + "schedstat"));
    const std::string status = text_at(folder + "status");
    return {scheduled.cpu_ns, scheduled.delay_ns, field_number(status, "voluntary_ctxt_switches").value_or(0),
            field_number(status, "nonvoluntary_ctxt_switches").value_or(0)};
}

Moved moved_of(int pid) {
    const std::string io = text_at(fmt::format("/proc/{}/io", pid));
    const auto sum = [&](const char* a, const char* b) -> std::optional<std::int64_t> {
        const auto x = field_number(io, a);
        const auto y = field_number(io, b);
        return x && y ? std::optional{*x + *y} : std::nullopt;
    };
    return {sum("rchar", "wchar"), sum("syscr", "syscw"), field_number(io, "wchar"), field_number(io, "syscw")};
}

}  // namespace assay::diagnosis
