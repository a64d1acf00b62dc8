#include "sandbox/cores.hh"

#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/text.hh"
#include "sandbox/control.hh"
#include "sys/file.hh"

namespace assay::sandbox {

std::vector<int> cores_in(std::string_view list) {
    std::vector<int> cores;
    for (const std::string_view part : split(trimmed(list), ',')) {
        const std::size_t dash = part.find('-');
        const std::optional<std::int64_t> first = to_number(part.substr(0, dash));
        const std::optional<std::int64_t> last = dash == part.npos ? first : to_number(part.substr(dash + 1));
        if (!first || !last || *first < 0 || *last >= CPU_SETSIZE) return {};
        for (std::int64_t core = *first; core <= *last; ++core) cores.push_back(static_cast<int>(core));
    }
    return cores;
}

std::vector<int> by_need(std::vector<int> online, std::span<const Interrupt> interrupts) {
    const auto place = [&](int core) {
        const auto needed = std::ranges::count_if(interrupts, [&](const Interrupt& one) {
            return !one.movable && one.cores.size() > 1 && one.comes_to == core;
        });
        return std::pair{-needed, core};
    };
    std::ranges::sort(online, {}, place);
    return online;
}

std::vector<int> online_cores() {
    std::vector<int> cores;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return cores;
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (CPU_ISSET(static_cast<std::size_t>(core), &set)) cores.push_back(core);
    }
    return cores;
}

std::vector<Interrupt> device_interrupts() {
    std::vector<Interrupt> found;
    const Result<std::vector<std::string>> numbers = sys::list_directory("/proc/irq");
    if (!numbers) return found;
    for (const std::string& number : *numbers) {
        const std::string place = "/proc/irq/" + number;
        const std::vector<int> comes_to = cores_in(read_control(place + "/effective_affinity_list"));
        struct stat status{};
        if (comes_to.empty() || ::stat((place + "/smp_affinity_list").c_str(), &status) != 0) continue;
        found.push_back(
            {cores_in(read_control(place + "/smp_affinity_list")), comes_to.front(), (status.st_mode & S_IWUSR) != 0});
    }
    return found;
}

std::vector<int> machine_cores() { return by_need(online_cores(), device_interrupts()); }

}  // namespace assay::sandbox
