#include "recorder/tasks.hh"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "recorder/parse.hh"
#include "recorder/rates.hh"
#include "sys/quiet.hh"

namespace assay::recorder {
namespace {

constexpr std::uint64_t d_frames_for_stack = 2;  // less is ordinary IO
constexpr std::uint64_t fault_weight_ms = 5;     // a major fault is about as long a wait on a busy disk
constexpr std::uint64_t grown_mib_weight_ms = 10;

// "PID/what"
struct Below {
    char text[40];
    Below(std::uint64_t pid, const char* what) {
        const auto end = std::to_chars(text, text + 20, pid).ptr;
        std::strcpy(end, what);
    }
};

std::string_view text_of(const sys::Fd& proc, std::uint64_t pid, const char* what, std::span<char> buffer) {
    const sys::Fd file = sys::open_quietly(proc, Below{pid, what}.text);
    const std::ptrdiff_t got = file ? sys::read_quietly(file, buffer) : -1;
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

}  // namespace

struct Tasks::Seen {
    std::uint64_t pid;
    std::uint64_t start_ticks;
    std::uint64_t cpu_ms;
    std::uint64_t major_faults;
    std::uint64_t resident_bytes;
    std::uint64_t in_d_frames;
};
struct Tasks::Table {
    std::size_t size = 0;
    std::array<Seen, task_scan_max> rows;  // by rising pid, as /proc lists them
};

Tasks::Tasks(const char* proc)
    : proc_{sys::open_directory_quietly({}, proc)},
      before_{std::make_unique<Table>()},
      now_{std::make_unique<Table>()} {}
Tasks::~Tasks() = default;

void Tasks::forget() { before_->size = 0; }

void Tasks::read(Rows<Task, tasks_max>& rows, std::span<char> buffer) {
    rows.clear();
    if (!proc_) return;
    std::array<std::uint64_t, tasks_max> weight{};
    const auto lightest = [&] {
        return static_cast<std::size_t>(std::min_element(weight.begin(), weight.begin() + busy_tasks_max) -
                                        weight.begin());
    };
    std::array<Task, busy_tasks_max> busy{};
    std::size_t scanned = 0;
    now_->size = 0;

    sys::NamesQuietly names{proc_};
    for (auto name = names.next(); !name.text.empty(); name = names.next()) {
        std::uint64_t pid = 0;
        const auto end = name.text.data() + name.text.size();
        if (std::from_chars(name.text.data(), end, pid).ptr != end) continue;
        if (++scanned > task_scan_max) {
            ++rows.left_out;
            continue;
        }
        Task task;
        if (!parse_task_stat(text_of(proc_, pid, "/stat", buffer), task)) continue;  // it has just ended
        const auto found =
            std::lower_bound(before_->rows.begin(), before_->rows.begin() + static_cast<std::ptrdiff_t>(before_->size),
                             task.pid, [](const Seen& seen, std::uint64_t wanted) { return seen.pid < wanted; });
        const bool known = found != before_->rows.begin() + static_cast<std::ptrdiff_t>(before_->size) &&
                           found->pid == task.pid && found->start_ticks == task.start_ticks;
        const bool in_d = task.state == 'D';
        task.in_d_frames = in_d ? (known ? found->in_d_frames : 0) + 1 : 0;
        now_->rows[now_->size++] = {
            task.pid,        task.start_ticks, task.cpu_ms_total, task.major_faults_total, task.resident_bytes,
            task.in_d_frames};

        const std::uint64_t moved =
            known ? grown(found->cpu_ms, task.cpu_ms_total) +
                        fault_weight_ms * grown(found->major_faults, task.major_faults_total) +
                        grown_mib_weight_ms * (grown(found->resident_bytes, task.resident_bytes) >> 20)
                  : 0;
        if (in_d && rows.size() < tasks_max - busy_tasks_max) {
            *rows.add() = task;
        } else if (const std::size_t at = lightest(); moved > weight[at]) {
            weight[at] = moved;
            busy[at] = task;
        }
    }
    for (std::size_t i = 0; i < busy_tasks_max; ++i) {
        if (weight[i] > 0) *rows.add() = busy[i];
    }
    for (Task& task : rows) look_closer(task, buffer);
    std::sort(now_->rows.begin(), now_->rows.begin() + static_cast<std::ptrdiff_t>(now_->size),
              [](const Seen& a, const Seen& b) { return a.pid < b.pid; });
    std::swap(now_, before_);
}

void Tasks::look_closer(Task& task, std::span<char> buffer) const {
    (void)parse_schedstat(text_of(proc_, task.pid, "/schedstat", buffer), task);
    (void)parse_task_io(text_of(proc_, task.pid, "/io", buffer), task);
    if (task.state != 'D') return;
    const std::string_view channel = text_of(proc_, task.pid, "/wchan", buffer);
    if (channel != "0") task.wait_channel.assign(channel);
    if (task.in_d_frames >= d_frames_for_stack) parse_stack(text_of(proc_, task.pid, "/stack", buffer), task);
}

}  // namespace assay::recorder
