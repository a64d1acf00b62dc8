#include "diagnosis/waits.hh"

#include <fmt/format.h>

#include <algorithm>

namespace assay::diagnosis {
namespace {

constexpr double nearly_always = 0.9;
constexpr std::int64_t switches_at_rest_max = 3;  // a look at /proc can cost one

// The threads of the tree that could end this wait; `beyond`: somebody else could, too.
struct Releasers {
    std::vector<At> seen;
    bool beyond = false;
};

Releasers releasers(const Observed& observed, const At& at) {
    const Awaited& awaited = at.thread->awaited;
    Releasers found{.beyond = awaited.outside};
    for (const Thread& other : at.process->threads) {
        const bool named = std::ranges::find(awaited.tids, other.tid) != awaited.tids.end();
        if (named || (awaited.own_process && &other != at.thread)) found.seen.push_back({at.process, &other});
    }
    for (const int pid : awaited.pids) {
        const auto process = std::ranges::find(observed.processes, pid, &Process::pid);
        if (process == observed.processes.end()) {
            found.beyond = true;
            continue;
        }
        for (const Thread& other : process->threads) {
            if (&other != at.thread) found.seen.push_back({&*process, &other});
        }
    }
    return found;
}

int usefulness(
    const At& at) {  // of a releaser, to whoever asks what it all waits for: the lower the nearer to the cause
    const Thread& thread = *at.thread;
    if (thread.stopped > 0) return 0;
    if (thread.running * 2 > thread.looks) return 1;
    if (thread.storage * 2 > thread.looks) return 2;
    if (thread.awaited.outside && !thread.awaited.bounded) return 3;
    return thread.awaited.bounded ? 5 : 4;
}

}  // namespace

std::string name_of(const Process& process) { return fmt::format("{}[{}]", process.name, process.pid); }

std::string name_of(const At& at) {
    if (at.thread == nullptr || at.thread->tid == at.process->pid) return name_of(*at.process);
    if (at.thread->name == at.process->name) return fmt::format("{}/{}", name_of(*at.process), at.thread->tid);
    return fmt::format("{}/{}[{}]", name_of(*at.process), at.thread->name, at.thread->tid);
}

std::string name_of_peer(const Observed& observed, int pid) {
    const auto process = std::ranges::find(observed.processes, pid, &Process::pid);
    if (process != observed.processes.end()) return name_of(*process);
    const auto other = observed.others.find(pid);
    return other == observed.others.end() ? fmt::format("[{}]", pid) : fmt::format("{}[{}]", other->second.name, pid);
}

bool waits(const Thread& thread) {
    return thread.looks > 0 && thread.running == 0 && thread.stopped == 0 && thread.awaited.wait != Wait::none &&
           thread.same >= nearly_always * thread.looks;
}

std::vector<At> stuck(const Observed& observed) {
    std::vector<At> set;
    for (const Process& process : observed.processes) {
        for (const Thread& thread : process.threads) {
            const bool at_rest =
                waits(thread) && thread.storage == 0 && thread.voluntary + thread.forced <= switches_at_rest_max;
            if (at_rest && !thread.awaited.bounded && !thread.awaited.outside) set.push_back({&process, &thread});
        }
    }
    for (bool changed = true; changed;) {
        changed = std::erase_if(set, [&](const At& at) {
                      const Releasers who = releasers(observed, at);
                      return who.beyond || std::ranges::any_of(who.seen, [&](const At& one) {
                                 return std::ranges::find(set, one) == set.end();
                             });
                  }) > 0;
    }
    return set;
}

std::string cycle(const Observed& observed, const std::vector<At>& set) {
    constexpr std::size_t steps_max = 6;
    std::vector<At> path{set.front()};
    const auto next_of = [&](const At& at) -> At {
        const Releasers who = releasers(observed, at);
        // One that is known by name says more than one of many.
        return who.seen.empty() ? At{} : who.seen.front();
    };
    std::size_t begin = 0;
    for (;;) {
        const At next = next_of(path.back());
        if (!next) break;
        if (const auto met = std::ranges::find(path, next); met != path.end()) {
            begin = static_cast<std::size_t>(met - path.begin());
            break;
        }
        path.push_back(next);
    }
    std::string text;
    for (std::size_t i = begin; i < path.size() && i < begin + steps_max; ++i) {
        if (!text.empty()) text += " → ";
        text += fmt::format("{} → {}", name_of(path[i]), path[i].thread->awaited.object);
    }
    if (const At last = next_of(path.back()); last) text += " → " + name_of(path[begin]);
    return text;
}

At end_of_chain(const Observed& observed) {
    At at;
    for (const Process& process : observed.processes) {
        const auto first = std::ranges::find(process.threads, process.pid, &Thread::tid);
        if (first != process.threads.end()) at = {&process, &*first};
        else if (!process.threads.empty()) at = {&process, &process.threads.front()};
        if (at) break;
    }
    std::vector<At> path;
    while (at && std::ranges::find(path, at) == path.end()) {
        path.push_back(at);
        if (!waits(*at.thread) || at.thread->awaited.bounded) break;
        auto who = releasers(observed, at).seen;
        if (who.empty()) break;
        at = *std::ranges::min_element(who, {}, usefulness);
    }
    return path.empty() ? At{} : path.back();
}

}  // namespace assay::diagnosis
