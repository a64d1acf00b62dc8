#include "diagnosis/case.hh"

namespace assay::diagnosis {

Sums sums_of(const Observed& seen) {
    Sums sums;
    double cpu_s = 0;
    double delay_s = 0;
    const auto add = [](std::optional<std::int64_t>& sum, const std::optional<std::int64_t>& one) {
        if (one) sum = sum.value_or(0) + *one;
    };
    for (const Process& process : seen.processes) {
        sums.major_faults += process.major_faults;
        sums.minor_faults += process.minor_faults;
        cpu_s += process.children_cpu_s;
        add(sums.bytes, process.bytes);
        add(sums.calls, process.calls);
        add(sums.bytes_written, process.bytes_written);
        add(sums.calls_writing, process.calls_writing);
        for (const Thread& thread : process.threads) {
            ++sums.threads;
            cpu_s += thread.cpu_s;
            delay_s += thread.delay_s;
            sums.runnable += per(thread.running, seen.looks);
            sums.voluntary += thread.voluntary;
            sums.forced += thread.forced;
            const double storage = per(thread.storage, thread.looks);
            if (thread.looks * 2 >= seen.looks && storage > sums.storage) {
                sums.storage = storage;
                sums.storage_at = {&process, &thread};
            }
        }
    }
    sums.cpu = per(cpu_s, seen.window_s);
    sums.delay_share = per(delay_s, cpu_s + delay_s);
    return sums;
}

}  // namespace assay::diagnosis
