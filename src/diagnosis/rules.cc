#include "diagnosis/rules.hh"

#include "diagnosis/case.hh"

namespace assay::diagnosis {
namespace {

Finding healthy(const Case& it) {
    Finding finding{.kind = Class::healthy,
                    .confidence = Confidence::medium,
                    .decided_by = {{"cpu_cores", it.sums.cpu},
                                   {"run_delay_share", it.sums.delay_share},
                                   {"switches_per_s", it.switches_per_s()}},
                    .evidence = {it.cpu(), it.delay(), it.work()},
                    .remedy = {What::do_nothing, {}}};
    const At at = end_of_chain(it.seen);
    if (at) {
        const Awaited& awaited = at.thread->awaited;
        finding.awaited = awaited.object;
        if (waits(*at.thread)) finding.evidence.push_back(waits_line(at));
        const bool asked = awaited.wait == Wait::requests || awaited.wait == Wait::terminal ||
                           (awaited.wait == Wait::events && awaited.outside);
        if (it.sums.cpu >= busy_cpu_min && !waits(*at.thread)) finding.cause = Cause::busy;
        else if (asked && waits(*at.thread)) finding.cause = Cause::waits_for_requests;
        else if (awaited.bounded || awaited.wait == Wait::signal || awaited.wait == Wait::timer)
            finding.cause = Cause::sleeping;
        else if (awaited.wait == Wait::requests) finding.cause = Cause::waits_for_requests;
        else if (!awaited.call.empty() && awaited.wait != Wait::none)
            finding.cause = it.sums.cpu >= busy_cpu_min ? Cause::busy : Cause::sleeping;
        else finding.cause = it.sums.cpu > 0 ? Cause::busy : Cause::undecided;
    }
    switch (finding.cause) {
        case Cause::busy: finding.summary = {What::is_busy, {it.who, number(it.sums.cpu)}}; break;
        case Cause::waits_for_requests:
            finding.summary = {What::is_waiting_for_requests, {name_of(at), finding.awaited}};
            break;
        case Cause::sleeping: finding.summary = {What::is_sleeping, {name_of(at)}}; break;
        default:
            finding.summary = {What::is_undecided, {it.who}};
            finding.confidence = Confidence::low;
            finding.remedy = {What::do_read_more, {}};
    }
    finding.against.push_back(it.one_window());
    return finding;
}

// The order matters where two could be said: a limit that is certain before what merely looks like it, the wait for a disk before the
// CPU that is shared, and a peer only when nothing of one's own explains the wait.
constexpr Answer (*rules[])(const Case&) = {
    ended,          stopped,       lost_worker, storage_hang, deadlock, descriptor_limit, process_limit,
    disk_full,      memory_thrash, livelock,    throttled,    storage,  spin_undisturbed, stolen,
    oversubscribed, neighbour,     spin,        peer,
};

}  // namespace

Finding explain(const Observed& seen) {
    const Case it{
        .seen = seen, .sums = sums_of(seen), .who = seen.processes.empty() ? "?" : name_of(seen.processes.front())};
    for (const auto rule : rules) {
        if (Answer answer = rule(it)) {
            if (answer->against.empty()) answer->against.push_back({What::but_nothing, {}});
            answer->unread = seen.unread;
            return std::move(*answer);
        }
    }
    Finding finding = healthy(it);
    finding.unread = seen.unread;
    return finding;
}

}  // namespace assay::diagnosis
