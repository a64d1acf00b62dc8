#include "cli/check_load.hh"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <string_view>

#include "admission/readings.hh"
#include "base/text.hh"
#include "recorder/host.hh"
#include "serve/admission_keeper.hh"
#include "serve/rooms.hh"
#include "sys/file.hh"

namespace assay::cli {
namespace {

using sandbox::Finding;
using sandbox::Standing;

constexpr std::size_t control_bytes_max = 64u << 10;

std::string text_at(const std::string& path) {
    auto text = sys::read_file(path, control_bytes_max);
    return text ? std::string{trimmed(*text)} : std::string{};
}

// The group we are in, of version 2: "0::/system.slice/assay.service".
std::string own_group() {
    const std::string groups = text_at("/proc/self/cgroup");
    for (const std::string_view line : split(groups, '\n')) {
        if (line.starts_with("0::/")) return "/sys/fs/cgroup" + std::string{line.substr(3)};
    }
    return "";
}

Finding jobs_memory() {
    const std::int64_t total = serve::this_machine().memory_bytes;
    if (total == 0) return {"memory for jobs", "unknown", Standing::weak, "mount /proc: without it nothing bounds what jobs are promised together"};
    return {"memory for jobs", fmt::format("{} of {}: the limits of those that run together are never more", size_text(serve::jobs_memory_bytes(total)), size_text(total)), Standing::fine, ""};
}

}  // namespace

Finding judge_pressure(const std::string& pressure_memory) {
    if (admission::parse_pressure(pressure_memory)) return {"pressure figures", "yes", Standing::fine, ""};
    return {"pressure figures", "none; available memory alone tells instead, so work stops earlier than needed", Standing::weak,
            "a kernel with CONFIG_PSI, booted with psi=1"};
}

Finding judge_lru_gen(const std::string& enabled, const std::string& min_ttl_ms) {
    constexpr const char* name = "multi-gen LRU";
    constexpr const char* cure = "echo y > /sys/kernel/mm/lru_gen/enabled && echo 1000 > /sys/kernel/mm/lru_gen/min_ttl_ms: the kernel then ends "
                                 "a process before it freezes. To keep it, two lines in /etc/tmpfiles.d/lru_gen.conf";
    if (enabled.empty()) {
        return {name, "not in this kernel; the server's own watch is the only net", Standing::weak, "Linux 6.1 or newer with CONFIG_LRU_GEN"};
    }
    std::uint64_t bits = 0;
    const std::string_view digits = enabled.starts_with("0x") ? std::string_view{enabled}.substr(2) : std::string_view{enabled};
    (void)std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
    if ((bits & 1) == 0) return {name, "off", Standing::weak, cure};
    if (min_ttl_ms.empty() || min_ttl_ms == "0") return {name, "on, and min_ttl_ms 0 keeps nothing", Standing::weak, cure};
    return {name, fmt::format("on, min_ttl_ms {}", min_ttl_ms), Standing::fine, ""};
}

Finding judge_protection(const std::string& memory_min, bool version_2) {
    constexpr const char* name = "memory kept for the server";
    if (!version_2) {
        return {name, "not offered by version 1 groups; its program text is locked instead", Standing::weak, "boot with the unified cgroup hierarchy"};
    }
    if (memory_min.empty() || memory_min == "0") {
        return {name, "none by its group; its program text is locked instead", Standing::weak, "MemoryMin=64M in the server's systemd unit"};
    }
    std::int64_t bytes = 0;
    (void)std::from_chars(memory_min.data(), memory_min.data() + memory_min.size(), bytes);
    return {name, memory_min == "max" ? "all it uses" : size_text(bytes), Standing::fine, ""};
}

std::vector<Finding> load_findings() {
    const bool version_2 = !text_at("/sys/fs/cgroup/cgroup.controllers").empty();
    const std::string lru = "/sys/kernel/mm/lru_gen/";
    std::vector<Finding> findings{jobs_memory(), judge_pressure(text_at("/proc/pressure/memory")),
                                  judge_lru_gen(text_at(lru + "enabled"), text_at(lru + "min_ttl_ms")),
                                  judge_protection(text_at(own_group() + "/memory.min"), version_2)};
    for (const recorder::Wish& wish : recorder::ask_host().wishes) {
        if (wish.refused.empty()) findings.push_back({wish.name, wish.wanted, Standing::fine, ""});
        else findings.push_back({wish.name, fmt::format("refused: {}; instead: {}", wish.refused, wish.instead), Standing::weak, wish.cure});
    }
    return findings;
}

}  // namespace assay::cli
