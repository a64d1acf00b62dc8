// The cores of this machine.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace assay::sandbox {

// What this process may run on, by rising number.
std::vector<int> online_cores();

// An interrupt of a device, as /proc/irq tells (Documentation/core-api/irq/irq-affinity.rst).
struct Interrupt {
    std::vector<int>
        cores;  // whose requests it answers, of a queue that the kernel divides; else those that it may come to
    int comes_to = -1;  // one of them
    bool movable = true;
};
std::vector<Interrupt> device_interrupts();

// A list of cores as the kernel writes them ("0-2,5"); empty: it is none.
std::vector<int> cores_in(std::string_view list);

// The cores `online` in the order in which the rest of the machine needs them. First those where the only interrupt of a disk comes in that
// answers other cores as well and cannot be moved: what runs there is in the way of everybody's requests. Then by number.
std::vector<int> by_need(std::vector<int> online, std::span<const Interrupt>);
// All of it: what this process may run on, in that order.
std::vector<int> machine_cores();

}  // namespace assay::sandbox
