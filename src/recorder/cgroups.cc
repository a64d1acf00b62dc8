#include "recorder/cgroups.hh"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/text.hh"
#include "recorder/parse.hh"
#include "sys/file.hh"
#include "sys/quiet.hh"

namespace assay::recorder {
namespace {

constexpr std::size_t mounts_bytes_max = 1 << 20;
constexpr std::uint64_t no_limit = std::uint64_t{1} << 60;  // version 1 says "none" by a number near 2^63

template <std::uint64_t Cgroup::* field, std::uint64_t divided_by = 1>
bool parse_one(std::string_view text, Cgroup& group) {
    const auto value = parse_number(text);
    group.*field = value && *value < no_limit ? *value / divided_by : 0;
    return value.has_value();
}

bool parse_memory_pressure(std::string_view text, Cgroup& group) {
    return parse_pressure(text, group.memory_some_us_total, group.memory_full_us_total);
}
bool parse_io_pressure(std::string_view text, Cgroup& group) {
    return parse_pressure(text, group.io_some_us_total, group.io_full_us_total);
}
bool parse_cpu_pressure(std::string_view text, Cgroup& group) {
    std::uint64_t full_us = 0;
    return parse_pressure(text, group.cpu_some_us_total, full_us);
}

bool is_ours(std::string_view path) { return path.contains("assay-"); }

// `whole` is the group that ends in `end`, or is below it.
bool is_or_is_below(std::string_view whole, std::string_view end) {
    const std::size_t at = whole.find(end);
    return at != whole.npos && (at == 0 || whole[at - 1] == '/') &&
           (at + end.size() == whole.size() || whole[at + end.size()] == '/');
}

}  // namespace

// The first of a table tells whether the group did something.
struct Cgroups::File {
    enum When : unsigned char { always, when_it_did, seldom } when;
    Tree tree;
    const char* name;
    bool (*parse)(std::string_view, Cgroup&);
};

const Cgroups::File Cgroups::version_2[] = {
    {File::always, unified, "cpu.stat", parse_cpu_stat},
    {File::when_it_did, unified, "memory.current", parse_one<&Cgroup::memory_bytes>},
    {File::seldom, unified, "memory.max", parse_one<&Cgroup::memory_max_bytes>},
    {File::when_it_did, unified, "memory.stat", parse_memory_stat},
    {File::when_it_did, unified, "memory.events", parse_memory_events},
    {File::always, unified, "io.stat", parse_io_stat},  // what it left dirty is written later
    {File::always, unified, "memory.pressure", parse_memory_pressure},
    {File::always, unified, "io.pressure", parse_io_pressure},
    {File::always, unified, "cpu.pressure", parse_cpu_pressure},
    {File::when_it_did, unified, "pids.current", parse_one<&Cgroup::tasks>},
    {File::always, trees, nullptr, nullptr},
};
const Cgroups::File Cgroups::version_1[] = {
    {File::always, cpuacct, "cpuacct.usage", parse_one<&Cgroup::cpu_us_total, 1'000>},
    {File::when_it_did, memory, "memory.usage_in_bytes", parse_one<&Cgroup::memory_bytes>},
    {File::seldom, memory, "memory.limit_in_bytes", parse_one<&Cgroup::memory_max_bytes>},
    {File::when_it_did, memory, "memory.stat", parse_memory_stat},
    {File::when_it_did, memory, "memory.failcnt", parse_one<&Cgroup::limit_hits_total>},
    {File::always, cpu, "cpu.stat", parse_cpu_stat},
    {File::when_it_did, blkio, "blkio.throttle.io_service_bytes", parse_blkio_bytes},
    {File::when_it_did, blkio, "blkio.throttle.io_serviced", parse_blkio_serviced},
    {File::when_it_did, pids, "pids.current", parse_one<&Cgroup::tasks>},
    {File::always, unified, "memory.pressure", parse_memory_pressure},
    {File::always, unified, "io.pressure", parse_io_pressure},
    {File::always, unified, "cpu.pressure", parse_cpu_pressure},
    {File::always, trees, nullptr, nullptr},
};

struct Cgroups::Group {
    Path path;
    Cgroup row;  // id 0: free
    std::array<sys::Fd, group_files_max> files;
    bool ours = false;
    bool read = false;  // once
};

Cgroups::Cgroups() : groups_{std::make_unique<std::array<Group, cgroups_max>>()} {}
Cgroups::~Cgroups() = default;

void Cgroups::start() {
    const auto mounts = sys::read_file("/proc/self/mounts", mounts_bytes_max);
    if (!mounts) return;
    for (const std::string_view line : split(*mounts, '\n')) {
        const auto words = split(line, ' ');
        if (words.size() < 4) continue;
        const std::string mount{words[1]};
        const auto take = [&](Tree tree) { roots_[tree] = sys::open_directory_quietly({}, mount.c_str()); };
        if (words[2] == "cgroup2") take(unified);
        if (words[2] != "cgroup") continue;
        for (const std::string_view option : split(words[3], ',')) {
            if (option == "memory") take(memory);
            if (option == "cpu") take(cpu);
            if (option == "cpuacct") take(cpuacct);
            if (option == "blkio") take(blkio);
            if (option == "pids") take(pids);
        }
    }
    version_2_ = !roots_[memory];
}

void Cgroups::start_below(const char* root) {
    constexpr const char* names[] = {"unified", "memory", "cpu", "cpuacct", "blkio", "pids"};
    for (std::size_t i = 0; i < trees; ++i)
        roots_[i] = sys::open_directory_quietly({}, (std::string{root} + "/" + names[i]).c_str());
    version_2_ = !roots_[memory];
}

bool Cgroups::any() const {
    return std::ranges::any_of(roots_, [](const sys::Fd& root) { return static_cast<bool>(root); });
}

void Cgroups::scan() {
    left_out_ = 0;
    looked_into_ = 0;
    read_all_ = true;
    for (const Tree tree : {unified, memory, cpuacct}) {
        Path path;
        if (roots_[tree]) walk(roots_[tree], path, 0);
    }
}

void Cgroups::walk(const sys::Fd& directory, Path& path, std::size_t depth) {
    if (depth == group_depth_max) return;
    sys::NamesQuietly names{directory};
    for (auto name = names.next(); !name.text.empty(); name = names.next()) {
        const std::size_t before = path.size;
        if (!name.directory || before + name.text.size() + 2 > group_path_max) continue;
        if (++looked_into_ > group_directories_max) return;
        if (before > 0) path.text[path.size++] = '/';
        std::memcpy(path.text.data() + path.size, name.text.data(), name.text.size());
        path.size += name.text.size();
        learn(path);
        if (sys::may_have_directories(directory, name.text.data())) {
            const sys::Fd below = sys::open_directory_quietly(directory, name.text.data());
            if (below) walk(below, path, depth + 1);
        }
        path.size = before;
    }
}

// Others have so few places that ours are never short of them, whichever are seen first.
void Cgroups::learn(const Path& path) {
    static_assert(other_groups_max < cgroups_max);
    const bool ours = is_ours(path.view());
    Group* free = nullptr;
    std::size_t others = 0;
    for (Group& group : *groups_) {
        if (group.row.id == 0) {
            if (free == nullptr) free = &group;
            continue;
        }
        if (group.path.view() == path.view()) return;
        others += group.ours ? 0 : 1;
    }
    if (free == nullptr || (!ours && others >= other_groups_max)) {
        ++left_out_;
        return;
    }
    *free = {.path = path, .ours = ours};
    free->row.id = ++last_id_;
    free->row.job = job_of(path.view());
    const std::string_view whole = path.view();
    free->row.name.assign(whole.substr(whole.size() - std::min(whole.size(), decltype(Cgroup::name)::size_max)));
    open_files(*free);
    const bool exists = std::ranges::any_of(free->files, [](const sys::Fd& file) { return static_cast<bool>(file); });
    if (!exists) *free = {};
}

// A job's group is made after its job has begun, and is gone soon: a scan would often miss it.
void Cgroups::learn_of_jobs() {
    for (const Job& job : jobs_) {
        if (job.job == 0) continue;
        const auto at = [&job](std::string_view path) { return path.ends_with(job.path.view()) && is_or_is_below(path, job.path.view()); };
        if (std::ranges::any_of(*groups_, [&](const Group& it) { return it.row.id != 0 && at(it.path.view()); })) continue;
        const std::size_t slash = job.path.view().rfind('/');
        if (slash == std::string_view::npos) continue;
        const std::string_view above = job.path.view().substr(0, slash);
        const std::string_view own = job.path.view().substr(slash);
        for (const Group& group : *groups_) {
            const std::string_view known = group.path.view();
            if (group.row.id == 0 || !known.ends_with(above) || !is_or_is_below(known, above)) continue;
            if (known.size() + own.size() > group_path_max) continue;
            Path path = group.path;
            std::memcpy(path.text.data() + path.size, own.data(), own.size());
            path.size += own.size();
            learn(path);
            break;
        }
    }
}

std::uint64_t Cgroups::job_of(std::string_view path) const {
    for (const Job& job : jobs_) {
        if (job.job != 0 && is_or_is_below(path, job.path.view())) return job.job;
    }
    return 0;
}

void Cgroups::open_files(Group& group) {
    std::array<char, group_path_max + 64> whole{};
    std::memcpy(whole.data(), group.path.text.data(), group.path.size);
    whole[group.path.size] = '/';
    std::size_t at = 0;
    for (const File* file = version_2_ ? version_2 : version_1; file->name != nullptr; ++file, ++at) {
        if (!roots_[file->tree]) continue;
        std::strcpy(whole.data() + group.path.size + 1, file->name);
        group.files[at] = sys::open_quietly(roots_[file->tree], whole.data());
    }
}

void Cgroups::read(Rows<Cgroup, cgroups_max>& rows, std::span<char> buffer) {
    learn_of_jobs();
    rows.clear();
    rows.left_out = left_out_;
    for (Group& group : *groups_) {
        if (group.row.id == 0) continue;
        bool alive = false;
        std::size_t at = 0;
        const bool all = read_all_ || !group.read;
        bool did = !group.files[0];
        const std::uint64_t cpu_us = group.row.cpu_us_total;
        for (const File* file = version_2_ ? version_2 : version_1; file->name != nullptr; ++file, ++at) {
            if (!group.files[at]) continue;
            if (!all && (file->when == File::seldom || (file->when == File::when_it_did && !did))) continue;
            const std::ptrdiff_t got = sys::read_quietly(group.files[at], buffer);
            if (got < 0) continue;  // ENODEV: it is gone
            alive = true;
            (void)file->parse({buffer.data(), static_cast<std::size_t>(got)}, group.row);
            did = did || group.row.cpu_us_total != cpu_us;
        }
        if (alive) {
            group.read = true;
            *rows.add() = group.row;
        } else {
            group = {};
        }
    }
    read_all_ = false;
}

void Cgroups::belongs(std::string_view path, std::uint64_t job) {
    if (path.empty() || path.size() > group_path_max || job == 0) return;
    ended(job);
    const auto place = std::ranges::find_if(jobs_, [&](const Job& it) { return it.job == 0 || it.path.view() == path; });
    if (place == jobs_.end()) return;
    *place = {.job = job};
    std::memcpy(place->path.text.data(), path.data(), path.size());
    place->path.size = path.size();
    for (Group& group : *groups_) {
        if (group.row.id != 0 && is_or_is_below(group.path.view(), path)) group.row.job = job;
    }
}

void Cgroups::ended(std::uint64_t job) {
    for (Job& it : jobs_) {
        if (it.job == job) it = {};
    }
    for (Group& group : *groups_) {
        if (group.row.job == job) group.row.job = 0;
    }
}

}  // namespace assay::recorder
