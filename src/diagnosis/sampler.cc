#include "diagnosis/sampler.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "base/text.hh"
#include "diagnosis/awaited.hh"
#include "diagnosis/counters.hh"
#include "diagnosis/group.hh"
#include "diagnosis/proc_text.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/system_calls.hh"

namespace assay::diagnosis {
namespace {

using namespace std::chrono_literals;
constexpr sys::Duration between_looks = 60ms;
constexpr std::size_t call_bytes_max = 4096;
constexpr double ticks_per_second = 100;  // USER_HZ, the same on every Linux that we build for
constexpr int neighbours_max = 5;
constexpr double neighbour_cpu_min = 0.05;

std::optional<std::int64_t> minus(const std::optional<std::int64_t>& a, const std::optional<std::int64_t>& b) {
    return a && b ? std::optional{*a - *b} : std::nullopt;
}

// The bottom of a network or user-space file system is slept in without being in state D.
bool storage_channel(std::string_view channel) {
    for (const std::string_view known :
         {"fuse", "request_wait_answer", "rpc_wait", "nfs", "folio_wait", "wait_on_page", "io_schedule", "jbd2", "blk_",
          "submit_bio", "xfs_", "ext4_", "btrfs", "cifs", "throtl"}) {
        if (channel.contains(known)) return true;
    }
    return false;
}

struct Watched {
    Thread seen;
    Counters first;
    std::map<std::pair<Call, char>, int> calls;
};

class Watch {
public:
    Watch(const Asked& asked, sys::Duration window)
        : asked_{asked}, window_{window}, mounts_{mounts_of(text_at("/proc/self/mountinfo"))}, groups_{mounts_} {}

    Result<Observed> run() {
        seen_.cpus = sys::online_cpus();
        before_ = everybody();
        if (before_.empty()) return Error{Fault::denied, "/proc shows no process"};
        ASSAY_TRY(pids_, tree());
        const std::map<std::string, std::string> groups =
            groups_of(text_at(fmt::format("/proc/{}/cgroup", pids_.front())));
        const GroupReading group = groups_.read(groups);
        const auto pressure = machine_pressure();
        const std::string stat = text_at("/proc/stat");
        for (const int pid : pids_) moved_[pid] = moved_of(pid);
        const sys::TimePoint begin = sys::system_clock().now();
        sys::TimePoint last_work = begin;
        std::vector<double> gaps;
        std::int64_t work = -1;
        for (;;) {
            const sys::TimePoint now = sys::system_clock().now();
            take_in_newcomers();
            look();
            if (const std::int64_t sum = work_so_far(); sum != work) {
                if (work >= 0) gaps.push_back(sys::ms_of(now - last_work) / 1000);
                last_work = now;
                work = sum;
            }
            if (now - begin >= window_) break;
            std::this_thread::sleep_for(std::min<sys::Duration>(between_looks, window_ - (now - begin)));
        }
        seen_.window_s = sys::ms_of(sys::system_clock().now() - begin) / 1000;
        gaps.push_back(sys::ms_of(sys::system_clock().now() - last_work) / 1000);
        std::ranges::sort(gaps);
        seen_.gap_longest_s = gaps.back();
        seen_.gap_median_s = gaps[gaps.size() / 2];

        after_ = everybody();
        seen_.group = between(group, groups_.read(groups), seen_.window_s);
        const auto pressure_now = machine_pressure();
        const auto share = [&](std::size_t i) -> std::optional<double> {
            if (!pressure[i] || !pressure_now[i]) return std::nullopt;
            return static_cast<double>(*pressure_now[i] - *pressure[i]) / 1e6 / seen_.window_s;
        };
        seen_.pressure_cpu = share(0);
        seen_.pressure_io = share(1);
        seen_.pressure_memory = share(2);
        finish_processes();
        finish_machine(stat);
        if (seen_.processes.empty() || (asked_.pid != 0 && seen_.processes.front().pid != asked_.pid))
            return Error{Fault::missing, fmt::format("process {} ended while it was looked at", pids_.front())};
        finish_others();
        return std::move(seen_);
    }

private:
    Result<std::vector<int>> tree() {
        std::vector<int> found;
        if (asked_.pid != 0) {
            if (!before_.contains(asked_.pid))
                return Error{Fault::missing, fmt::format("there is no process {}", asked_.pid)};
            found.push_back(asked_.pid);
        } else {
            folders_ = groups_.folders(asked_.group);
            if (folders_.empty()) return Error{Fault::missing, "there is no control group '" + asked_.group + "'"};
            const std::set<int> members = members_of(folders_);
            if (members.empty())
                return Error{Fault::missing, "no process is in the control group '" + asked_.group + "'"};
            found.assign(members.begin(), members.end());
        }
        for (std::size_t at = 0; at < found.size(); ++at) {
            for (const auto& [pid, stat] : before_) {
                if (stat.parent == found[at] && stat.state != 'Z' && std::ranges::find(found, pid) == found.end())
                    found.push_back(pid);
            }
        }
        std::erase_if(found, [&](int pid) { return pid == sys::current_pid(); });
        if (found.size() > processes_max) {
            seen_.unread.push_back(
                fmt::format("{} processes beyond the first {}", found.size() - processes_max, processes_max));
            found.resize(processes_max);
        }
        return found;
    }

    // Where there is a version 1 group, whoever is in the version 2 group alone is none of those that are counted: a sandbox's init, which
    // keeps that from emptying.
    static std::set<int> members_of(const std::vector<std::string>& folders) {
        const auto second = [](const std::string& folder) { return sys::info_of_path(folder + "/cgroup.controllers").has_value(); };
        const bool only_second = std::ranges::all_of(folders, second);
        std::set<int> members;
        for (const std::string& folder : folders) {
            if (only_second || !second(folder)) collect(folder, members, 0);
        }
        std::erase_if(members, [](int pid) {
            const auto stat = stat_of(text_at(fmt::format("/proc/{}/stat", pid)));
            return !stat || stat->state == 'Z';
        });
        return members;
    }

    static void collect(const std::string& folder, std::set<int>& members, int depth) {
        constexpr int depth_max = 16;
        const std::string listed = text_at(folder + "/cgroup.procs");
        for (const std::string_view line : split(listed, '\n')) {
            if (const auto pid = number_of(line)) members.insert(static_cast<int>(*pid));
        }
        const auto names = sys::list_directory(folder);
        if (!names || depth == depth_max) return;
        for (const std::string& name : *names) {
            const auto what = sys::info_of_path(folder + "/" + name);
            if (what && what->kind == sys::FileInfo::Kind::directory) collect(folder + "/" + name, members, depth + 1);
        }
    }

    // A build, a script or a test driver starts one short process after the other: without those begun meanwhile all that was seen would
    // be gone at the end, and whoever waits for one of them would wait for a stranger. All that one of them did, it did in this time.
    void take_in_newcomers() {
        std::vector<int> found;
        for (const int pid : pids_) std::ranges::copy(children_of(pid), std::back_inserter(found));
        if (asked_.pid == 0) std::ranges::copy(members_of(folders_), std::back_inserter(found));
        for (const int pid : found) {
            if (pids_.size() >= processes_max)
                std::erase_if(pids_, [&](int old) {
                    return old != pids_.front() && !stat_of(text_at(fmt::format("/proc/{}/stat", old)));
                });
            if (pids_.size() >= processes_max) return;
            if (pid == sys::current_pid() || std::ranges::find(pids_, pid) != pids_.end()) continue;
            pids_.push_back(pid);
            moved_[pid] = {.bytes = 0, .calls = 0, .written = 0, .writing = 0};
        }
    }

    static std::array<std::optional<std::int64_t>, 3> machine_pressure() {
        return {pressure_us(text_at("/proc/pressure/cpu")), pressure_us(text_at("/proc/pressure/io")),
                pressure_us(text_at("/proc/pressure/memory"))};
    }

    void look() {
        ++seen_.looks;
        for (const int pid : pids_) {
            const auto names = sys::list_directory(fmt::format("/proc/{}/task", pid));
            if (!names) continue;
            for (const std::string& name : *names) {
                if (const auto tid = number_of(name)) look_at(pid, static_cast<int>(*tid));
            }
        }
    }

    void look_at(int pid, int tid) {
        const std::string folder = fmt::format("/proc/{}/task/{}/", pid, tid);
        const auto stat = stat_of(text_at(folder + "stat"));
        if (!stat || stat->state == 'Z' || stat->state == 'X') return;
        auto at = threads_.find({pid, tid});
        if (at == threads_.end()) {
            if (threads_.size() >= threads_max) {
                too_many_ = true;
                return;
            }
            at = threads_.emplace(std::pair{pid, tid}, Watched{.seen = {.tid = tid}, .first = counters_of(pid, tid)})
                     .first;
        }
        Watched& one = at->second;
        one.seen.name = stat->name;
        ++one.seen.looks;
        if (stat->state == 'R') {
            ++one.seen.running;
            return;
        }
        if (stat->state == 'T' || stat->state == 't') {
            ++one.seen.stopped;
            return;
        }
        const auto text = sys::read_file(folder + "syscall", call_bytes_max);
        if (!text) denied_.insert(pid);
        const auto call = text ? call_of(*text) : std::nullopt;
        if (call && call->running) return;
        const std::string channel = text_at(folder + "wchan");
        const std::string_view name = call && call->number >= 0 ? sys::system_call_name(call->number) : "";
        if (channel.contains("freezer") || channel.contains("refrigerator")) {
            ++one.seen.stopped;
            return;
        }
        const bool storage = stat->state == 'D' || storage_channel(channel);
        if (storage && name != "nanosleep" && name != "clock_nanosleep") {
            ++one.seen.storage;
            if (name.starts_with("open") || name.contains("stat") || name.starts_with("getdents") ||
                name.starts_with("unlink") || name.starts_with("rename") || name.starts_with("mkdir") ||
                name.starts_with("access") || name.starts_with("faccess") || name.starts_with("readlink"))
                ++one.seen.metadata;
        }
        if (call) ++one.calls[{*call, stat->state}];
    }

    // A number that grows whenever anything of the tree gets something done that shows from outside.
    std::int64_t work_so_far() const {
        std::int64_t sum = 0;
        for (const int pid : pids_) {
            const Moved moved = moved_of(pid);
            sum += moved.bytes.value_or(0) + moved.calls.value_or(0);
        }
        return sum;
    }

    void finish_machine(const std::string& stat_before) {
        const std::string memory = text_at("/proc/meminfo");
        seen_.memory_available = field_number(memory, "MemAvailable").value_or(0) * 1024;
        seen_.memory_total = field_number(memory, "MemTotal").value_or(0) * 1024;
        const auto stolen = [](const std::string& stat) -> std::optional<std::int64_t> {
            const auto line =
                split(std::string_view{stat}.substr(0, stat.find('\n')), ' ');  // "cpu", an empty one, user, nice, …
            return line.size() > 9 ? number_of(line[9]) : std::nullopt;
        };
        const std::string stat = text_at("/proc/stat");
        seen_.machine_cpu = static_cast<double>(std::max<std::int64_t>(
                                0, busy_ticks(stat, allowed_) - busy_ticks(stat_before, allowed_))) /
                            ticks_per_second / seen_.window_s;
        const auto grown = minus(stolen(stat), stolen(stat_before));
        if (grown) seen_.steal = static_cast<double>(*grown) / ticks_per_second / seen_.window_s / seen_.cpus;
    }

    void finish_processes() {
        std::set<int> others;
        for (const auto& [pid, stat] : after_) {
            if (std::ranges::find(pids_, pid) == pids_.end()) others.insert(pid);
        }
        Objects objects{{pids_.begin(), pids_.end()}, std::move(others)};
        std::set<std::string> allowed;
        std::map<std::string, bool> written;
        for (const int pid : pids_) {
            const auto stat = after_.find(pid);
            if (stat == after_.end()) continue;
            Process one{.pid = pid, .parent = stat->second.parent, .name = stat->second.name};
            if (stat->second.state == 'Z') {  // Its end is told by its parent's row below.
                if (pid == pids_.front()) one.ended.push_back(ended(stat->second));
                else continue;
            }
            if (const auto parent = after_.find(one.parent); parent != after_.end())
                one.forked = stat->second.arguments_at != 0 && parent->second.arguments_at == stat->second.arguments_at;
            const auto was = before_.find(pid);
            one.major_faults = stat->second.major_faults - (was == before_.end() ? 0 : was->second.major_faults);
            one.minor_faults = stat->second.minor_faults - (was == before_.end() ? 0 : was->second.minor_faults);
            one.children_cpu_s = collected_cpu_s(pid);
            for (const auto& [child, is] : after_) {
                if (is.parent == pid && is.state == 'Z') one.ended.push_back(ended(is));
            }
            const Moved now = moved_of(pid);
            const Moved& then = moved_[pid];
            one.bytes = minus(now.bytes, then.bytes);
            one.calls = minus(now.calls, then.calls);
            one.bytes_written = minus(now.written, then.written);
            one.calls_writing = minus(now.writing, then.writing);
            const std::string status = text_at(fmt::format("/proc/{}/status", pid));
            one.tracer = static_cast<int>(field_number(status, "TracerPid").value_or(0));
            const std::string list{field_of(status, "Cpus_allowed_list")};
            one.cpus_allowed = cpus_in_list(list);
            allowed.insert(list);
            read_limits(one);
            note_writing(pid, written);
            finish_threads(one, objects);
            seen_.processes.push_back(std::move(one));
        }
        for (const std::string& list : allowed) allowed_ += (allowed_.empty() ? "" : ",") + list;
        seen_.cpus_allowed = 0;
        for (int cpu = 0; cpu < 4096; ++cpu) seen_.cpus_allowed += in_list(allowed_, cpu) ? 1 : 0;
        if (seen_.cpus_allowed == 0) seen_.cpus_allowed = seen_.cpus;
        for (const auto& [path, open] : written) read_mount(path, open);
        for (const std::string& one : objects.unread()) seen_.unread.push_back(one);
        note_unread(denied_, "task/*/syscall", "what its threads wait in");
        note_unread(closed_, "fd", "what it has open");
        if (too_many_) seen_.unread.push_back(fmt::format("threads beyond the first {}", threads_max));
    }

    // Its short-lived children are seen running at best by chance, but their time is added up for whoever collects them. What they used
    // before the first look is not of this time.
    double collected_cpu_s(int pid) const {
        const auto was = before_.find(pid);
        std::int64_t ticks = after_.at(pid).children_ticks - (was == before_.end() ? 0 : was->second.children_ticks);
        for (const auto& [child, before] : before_) {
            if (before.parent == pid && !after_.contains(child)) ticks -= before.cpu_ticks + before.children_ticks;
        }
        return static_cast<double>(std::max<std::int64_t>(0, ticks)) / ticks_per_second;
    }

    // One line, however many: those of other users, mostly.
    void note_unread(const std::set<int>& pids, std::string_view file, std::string_view what) {
        if (pids.empty()) return;
        const std::string whose = pids.size() == 1
                                      ? fmt::format("process {}", *pids.begin())
                                      : fmt::format("{} processes, such as {}", pids.size(), *pids.begin());
        seen_.unread.push_back(fmt::format("/proc/PID/{} of {}: {} (another user's: needs root)", file, whose, what));
    }

    static Ended ended(const Stat& stat) {
        const int signal = stat.exit_status & 0x7f;
        return {
            .pid = stat.pid, .name = stat.name, .exit_code = signal != 0 ? -signal : (stat.exit_status >> 8) & 0xff};
    }

    void read_limits(Process& one) {
        const auto names = sys::list_directory(fmt::format("/proc/{}/fd", one.pid));
        if (names) one.descriptors = static_cast<std::int64_t>(names->size());
        else closed_.insert(one.pid);
        const std::string limits = text_at(fmt::format("/proc/{}/limits", one.pid));
        for (const std::string_view line : split(limits, '\n')) {
            const auto soft = [&](std::string_view name) -> std::optional<std::int64_t> {
                const std::string_view rest = trimmed(line.substr(name.size()));
                return number_of(rest.substr(0, rest.find(' ')));
            };
            if (line.starts_with("Max open files")) one.descriptors_max = soft("Max open files");
            if (line.starts_with("Max processes")) one.tasks_max = soft("Max processes");
        }
    }

    // The folders and files the process can be expected to write to: its own folder, and what it has open for writing.
    void note_writing(int pid, std::map<std::string, bool>& written) {
        constexpr std::size_t descriptors_read_max = 512;
        if (const auto folder = sys::link_target(fmt::format("/proc/{}/cwd", pid))) written.try_emplace(*folder, false);
        const std::string at = fmt::format("/proc/{}/fd", pid);
        const auto names = sys::list_directory(at);
        if (!names) return;
        for (std::size_t i = 0; i < names->size() && i < descriptors_read_max; ++i) {
            const auto link = sys::link_target(at + "/" + (*names)[i]);
            if (!link || !link->starts_with("/") || link->starts_with("/dev/")) continue;
            const std::string info = text_at(fmt::format("/proc/{}/fdinfo/{}", pid, (*names)[i]));
            const std::string_view flags = field_of(info, "flags");
            if (!flags.empty() && (flags.back() == '1' || flags.back() == '2')) written[*link] = true;
        }
    }

    void read_mount(const std::string& path, bool open) {
        const MountLine* const mount = mount_of(mounts_, path);
        if (mount == nullptr) return;
        if (const auto known = std::ranges::find(seen_.mounts, escaped(mount->path), &Mount::path);
            known != seen_.mounts.end()) {
            known->written = known->written || open;
            return;
        }
        const std::string_view type = mount->type;
        if (type.starts_with("fuse") || type.starts_with("nfs") || type == "cifs" || type == "9p" || type == "ceph") {
            seen_.unread.push_back(
                fmt::format("the free space of {} ({}): asking could hang like those that wait for it",
                            escaped(mount->path), type));
            return;
        }
        const auto room = sys::room_of(mount->path);
        if (!room) {
            seen_.unread.push_back(room.error().text());
            return;
        }
        if (room->size_bytes > 0)
            seen_.mounts.push_back({.path = escaped(mount->path),
                                    .type = mount->type,
                                    .free_bytes = room->free_bytes,
                                    .size_bytes = room->size_bytes,
                                    .free_files = room->free_files,
                                    .written = open});
    }

    void finish_threads(Process& process, Objects& objects) {
        std::set<int> tids;
        for (const auto& [key, one] : threads_) {
            if (key.first == process.pid && sys::open_directory(fmt::format("/proc/{}/task/{}", key.first, key.second)))
                tids.insert(key.second);
        }
        for (auto& [key, one] : threads_) {
            if (key.first != process.pid) continue;
            const Counters now = counters_of(key.first, key.second);
            one.seen.cpu_s = static_cast<double>(std::max<std::int64_t>(0, now.cpu_ns - one.first.cpu_ns)) / 1e9;
            one.seen.delay_s = static_cast<double>(std::max<std::int64_t>(0, now.delay_ns - one.first.delay_ns)) / 1e9;
            one.seen.voluntary = std::max<std::int64_t>(0, now.voluntary - one.first.voluntary);
            one.seen.forced = std::max<std::int64_t>(0, now.forced - one.first.forced);
            const auto most = std::ranges::max_element(one.calls, {}, [](const auto& entry) { return entry.second; });
            if (most != one.calls.end() && tids.contains(key.second)) {
                one.seen.same = most->second;
                one.seen.awaited = objects.of(key.first, key.second, most->first.first, most->first.second, tids);
                // By its arguments it was one wait all the time; but who waits for a child that began meanwhile collected another before.
                const bool of_newcomer =
                    std::ranges::any_of(one.seen.awaited.pids, [&](int child) { return !before_.contains(child); });
                if (one.seen.awaited.wait == Wait::child && of_newcomer) one.seen.same = 0;
            }
            process.threads.push_back(std::move(one.seen));
        }
    }

    // Whom the tree waits for, and who uses its CPUs.
    void finish_others() {
        std::vector<std::pair<double, int>> busy;
        for (const auto& [pid, now] : after_) {
            const auto then = before_.find(pid);
            const double cpu = then == before_.end() ? 0
                                                     : static_cast<double>(now.cpu_ticks - then->second.cpu_ticks) /
                                                           ticks_per_second / seen_.window_s;
            const bool on_ours = in_list(allowed_, now.processor);
            if (std::ranges::find(pids_, pid) == pids_.end() && on_ours && cpu >= neighbour_cpu_min)
                busy.emplace_back(cpu, pid);
        }
        std::ranges::sort(busy, std::greater{});
        if (busy.size() > neighbours_max) busy.resize(neighbours_max);
        for (const auto& [cpu, pid] : busy)
            seen_.others[pid] = {.name = after_.at(pid).name, .state = after_.at(pid).state, .cpu = cpu};
        for (const Process& process : seen_.processes) {
            for (const Thread& thread : process.threads) {
                for (const int pid : thread.awaited.pids) {
                    if (const auto peer = after_.find(pid);
                        peer != after_.end() && std::ranges::find(pids_, pid) == pids_.end())
                        seen_.others.try_emplace(pid, Other{.name = peer->second.name, .state = peer->second.state});
                }
            }
        }
    }

    Asked asked_;
    sys::Duration window_;
    std::vector<MountLine> mounts_;
    Groups groups_;
    std::vector<std::string> folders_;  // of the group that was asked about
    std::map<int, Stat> before_, after_;
    std::vector<int> pids_;
    std::map<int, Moved> moved_;
    std::map<std::pair<int, int>, Watched> threads_;
    std::set<int> denied_;  // may not be asked what its threads wait in
    std::set<int> closed_;  // nor what it has open
    std::string allowed_;
    bool too_many_ = false;
    Observed seen_;
};

}  // namespace

Result<Observed> observe(const Asked& asked, sys::Duration window) {
    return Watch{asked, std::clamp(window, window_min, window_max)}.run();
}

}  // namespace assay::diagnosis
