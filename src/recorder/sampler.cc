#include "recorder/sampler.hh"

#include "recorder/parse.hh"
#include "sys/quiet.hh"

namespace assay::recorder {
namespace {

struct Source {
    const char* path;
    Section section;
    bool (*parse)(std::string_view, Frame&);
};

constexpr Source sources[] = {
    {"/proc/pressure/memory", Section::pressure,
     [](std::string_view t, Frame& f) {
         return parse_pressure(t, f.pressure.memory_some_us_total, f.pressure.memory_full_us_total);
     }},
    {"/proc/pressure/io", Section::pressure,
     [](std::string_view t, Frame& f) {
         return parse_pressure(t, f.pressure.io_some_us_total, f.pressure.io_full_us_total);
     }},
    {"/proc/pressure/cpu", Section::pressure,
     [](std::string_view t, Frame& f) {
         return parse_pressure(t, f.pressure.cpu_some_us_total, f.pressure.cpu_full_us_total);
     }},
    {"/proc/meminfo", Section::memory, [](std::string_view t, Frame& f) { return parse_meminfo(t, f.memory); }},
    {"/proc/vmstat", Section::reclaim, [](std::string_view t, Frame& f) { return parse_vmstat(t, f.reclaim); }},
    {"/proc/stat", Section::cpu, parse_stat},
    {"/proc/diskstats", Section::disks, [](std::string_view t, Frame& f) { return parse_diskstats(t, f.disks); }},
    {"/proc/net/dev", Section::net, [](std::string_view t, Frame& f) { return parse_net_dev(t, f.net); }},
    {"/proc/net/netstat", Section::net, [](std::string_view t, Frame& f) { return parse_netstat(t, f.net); }},
    {"/proc/net/sockstat", Section::net, [](std::string_view t, Frame& f) { return parse_sockstat(t, f.net); }},
    {"/proc/sys/fs/file-nr", Section::net, [](std::string_view t, Frame& f) { return parse_file_nr(t, f.net); }},
};

constexpr std::uint64_t bit(Section section) { return std::uint64_t{1} << static_cast<unsigned>(section); }

}  // namespace

Sampler::Sampler() = default;

void Sampler::start() {
    for (const Source& source : sources)
        files_.push_back({sys::open_quietly({}, source.path), source.section, source.parse});
    cgroups_.start();
}

void Sampler::sample(Frame& frame, std::uint64_t monotonic_ns, bool closer) {
    unreadable_ = 0;
    for (const File& file : files_) {
        const std::ptrdiff_t got = file.fd ? sys::read_quietly(file.fd, buffer_) : -1;
        if (got > 0 && file.parse({buffer_.data(), static_cast<std::size_t>(got)}, frame)) {
            frame.set(file.section);
        } else {
            unreadable_ |= bit(file.section);
        }
    }
    if (frame.has(Section::cpu)) frame.set(Section::cores);

    if (monotonic_ns >= next_scan_ns_) {
        cgroups_.scan();
        next_scan_ns_ = monotonic_ns + group_scan_every_ns;
    }
    cgroups_.read(frame.cgroups, buffer_);
    if (cgroups_.any()) {
        frame.set(Section::cgroups);
    } else {
        unreadable_ |= bit(Section::cgroups);
    }

    if (closer && !was_closer_) tasks_.forget();
    was_closer_ = closer;
    if (!closer || monotonic_ns < next_tasks_ns_) return;
    next_tasks_ns_ = monotonic_ns + task_look_every_ns;
    tasks_.read(frame.tasks, buffer_);
    frame.set(Section::tasks);
}

}  // namespace assay::recorder
