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

}  // namespace

struct Cgroups::File {
    Tree tree;
    const char* name;
    bool (*parse)(std::string_view, Cgroup&);
};

const Cgroups::File Cgroups::version_2[] = {
    {unified, "memory.current", parse_one<&Cgroup::memory_bytes>},
    {unified, "memory.max", parse_one<&Cgroup::memory_max_bytes>},
    {unified, "memory.stat", parse_memory_stat},
    {unified, "memory.events", parse_memory_events},
    {unified, "cpu.stat", parse_cpu_stat},
    {unified, "io.stat", parse_io_stat},
    {unified, "memory.pressure", parse_memory_pressure},
    {unified, "io.pressure", parse_io_pressure},
    {unified, "cpu.pressure", parse_cpu_pressure},
    {unified, "pids.current", parse_one<&Cgroup::tasks>},
    {trees, nullptr, nullptr},
};
const Cgroups::File Cgroups::version_1[] = {
    {memory, "memory.usage_in_bytes", parse_one<&Cgroup::memory_bytes>},
    {memory, "memory.limit_in_bytes", parse_one<&Cgroup::memory_max_bytes>},
    {memory, "memory.stat", parse_memory_stat},
    {memory, "memory.failcnt", parse_one<&Cgroup::limit_hits_total>},
    {cpuacct, "cpuacct.usage", parse_one<&Cgroup::cpu_us_total, 1'000>},
    {cpu, "cpu.stat", parse_cpu_stat},
    {blkio, "blkio.throttle.io_service_bytes", parse_blkio_bytes},
    {blkio, "blkio.throttle.io_serviced", parse_blkio_serviced},
    {pids, "pids.current", parse_one<&Cgroup::tasks>},
    {unified, "memory.pressure", parse_memory_pressure},
    {unified, "io.pressure", parse_io_pressure},
    {unified, "cpu.pressure", parse_cpu_pressure},
    {trees, nullptr, nullptr},
};

struct Cgroups::Group {
    Path path;
    Cgroup row;  // id 0: free
    std::array<sys::Fd, group_files_max> files;
    bool ours = false;
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
    for (const bool ours : {true, false}) {  // First those that must have their place.
        looked_into_ = 0;
        for (const Tree tree : {unified, memory, cpuacct}) {
            Path path;
            if (roots_[tree]) walk(roots_[tree], path, 0, ours);
        }
    }
}

void Cgroups::walk(const sys::Fd& directory, Path& path, std::size_t depth, bool ours) {
    if (depth == group_depth_max) return;
    sys::NamesQuietly names{directory};
    for (auto name = names.next(); !name.text.empty(); name = names.next()) {
        const std::size_t before = path.size;
        if (!name.directory || before + name.text.size() + 2 > group_path_max) continue;
        if (++looked_into_ > group_directories_max) return;
        if (before > 0) path.text[path.size++] = '/';
        std::memcpy(path.text.data() + path.size, name.text.data(), name.text.size());
        path.size += name.text.size();
        const sys::Fd below = sys::open_directory_quietly(directory, name.text.data());
        if (below) {
            if (is_ours(path.view()) == ours) learn(path, ours);
            walk(below, path, depth + 1, ours);
        }
        path.size = before;
    }
}

void Cgroups::learn(const Path& path, bool ours) {
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
    const std::string_view whole = path.view();
    free->row.name.assign(whole.substr(whole.size() - std::min(whole.size(), decltype(Cgroup::name)::size_max)));
    open_files(*free);
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
    rows.clear();
    rows.left_out = left_out_;
    for (Group& group : *groups_) {
        if (group.row.id == 0) continue;
        bool alive = false;
        std::size_t at = 0;
        for (const File* file = version_2_ ? version_2 : version_1; file->name != nullptr; ++file, ++at) {
            if (!group.files[at]) continue;
            const std::ptrdiff_t got = sys::read_quietly(group.files[at], buffer);
            if (got < 0) continue;  // ENODEV: it is gone
            alive = true;
            (void)file->parse({buffer.data(), static_cast<std::size_t>(got)}, group.row);
        }
        if (alive) {
            *rows.add() = group.row;
        } else {
            group = {};
        }
    }
}

void Cgroups::belongs(std::string_view path, std::uint64_t job) {
    if (path.empty()) return;
    for (Group& group : *groups_) {
        const std::string_view whole = group.path.view();
        const std::size_t at = whole.find(path);
        const bool below = at != whole.npos && (at + path.size() == whole.size() || whole[at + path.size()] == '/');
        if (group.row.id != 0 && below) group.row.job = job;
    }
}

}  // namespace assay::recorder
