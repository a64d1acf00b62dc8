#include "recorder/host.hh"

#include <algorithm>
#include <chrono>
#include <utility>

#include "recorder/ring.hh"
#include "recorder/suspicion.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/quiet.hh"
#include "sys/stall_trigger.hh"
#include "sys/standing.hh"

namespace assay::recorder {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t rings_looked_at_max = 1'024;

std::string why(const Result<>& result) { return result ? "" : result.error().text(); }

// Told within a fraction of a second when tasks waited so long for memory in so long a window. Who is not root may only ask for windows of
// whole two seconds.
Result<sys::Fd> memory_trigger() {
    const std::string path = "/proc/pressure/memory";
    constexpr std::chrono::microseconds stalled{trigger_stalled_us};
    auto trigger = sys::open_stall_trigger(path, sys::StallKind::some, stalled, 1s);
    return trigger ? std::move(trigger) : sys::open_stall_trigger(path, sys::StallKind::some, 2 * stalled, 2s);
}

}  // namespace

Granted ask_host() {
    Granted granted;
    granted.wishes.push_back({.name = "recorder priority",
                              .wanted = "a place before others on a processor",
                              .refused = why(sys::be_urgent()),
                              .instead = "frames come late when processors are scarce, and say by how much",
                              .cure = "CAP_SYS_NICE"});
    granted.wishes.push_back({.name = "recorder kept",
                              .wanted = "to be killed last when memory runs out",
                              .refused = why(sys::be_killed_last()),
                              .instead = "it is small and jobs go first by their own score; killed, it is started again in half a minute",
                              .cure = "CAP_SYS_RESOURCE for the server's unit or container"});
    (void)sys::allow_locking();
    granted.wishes.push_back({.name = "recorder memory",
                              .wanted = "memory that stays",
                              .refused = why(sys::may_lock(locked_bytes_max)),
                              .instead = "what fits into the limit is locked, the rest is as safe as any program's",
                              .cure = "LimitMEMLOCK=8M, or CAP_IPC_LOCK"});
    auto trigger = memory_trigger();
    granted.wishes.push_back({.name = "recorder triggers",
                              .wanted = "the kernel's stall triggers",
                              .refused = trigger ? "" : trigger.error().text(),
                              .instead = "what it sees between two frames comes with the next one, a second later at most",
                              .cure = "a kernel with CONFIG_PSI, and CAP_SYS_RESOURCE"});
    if (trigger) granted.trigger = std::move(trigger).value();
    return granted;
}

std::size_t remove_dead_rings(const std::string& own) {
    const std::size_t slash = own.rfind('/');
    if (slash == std::string::npos) return 0;
    const std::string directory = own.substr(0, slash);
    const sys::Fd opened = sys::open_directory_quietly({}, directory.c_str());
    if (!opened) return 0;
    std::vector<std::pair<std::int64_t, std::string>> dead;  // last written, path
    sys::NamesQuietly names{opened};
    std::size_t looked_at = 0;
    for (auto name = names.next(); !name.text.empty() && looked_at < rings_looked_at_max; name = names.next()) {
        const std::string path = directory + "/" + std::string{name.text};
        if (!name.text.starts_with(hot_name_prefix) || path == own) continue;
        ++looked_at;
        const auto info = sys::info_of_path(path);
        if (!info || info->kind != sys::FileInfo::Kind::regular) continue;
        const auto holder = sys::lock_holder(path);
        if (holder && !*holder) dead.emplace_back(info->modified_ns, path);
    }
    if (dead.size() <= dead_rings_kept) return 0;
    std::ranges::sort(dead);
    std::size_t removed = 0;
    for (std::size_t i = 0; i + dead_rings_kept < dead.size(); ++i) removed += sys::remove_file(dead[i].second) ? 1 : 0;
    return removed;
}

}  // namespace assay::recorder
