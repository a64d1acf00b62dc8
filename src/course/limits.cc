#include "course/limits.hh"

#include <algorithm>
#include <limits>

namespace assay::course {
namespace {

constexpr std::int64_t time_min_ms = 10;
constexpr std::int64_t time_max_ms = 24LL * 3600 * 1000;
constexpr std::int64_t memory_min_bytes = 4LL << 20;  // Less, and not even a shell starts.
constexpr std::int64_t memory_max_bytes = 4LL << 40;
constexpr std::int64_t disk_min_bytes = 64LL << 10;
constexpr std::int64_t output_min_bytes = 1LL << 10;
constexpr std::int64_t output_max_bytes = 64LL << 20;  // The runner holds a test's whole output to compare it.
constexpr std::int64_t processes_max = 30'000;
constexpr std::int64_t open_files_min = 8;  // Standard streams and what a loader opens.
constexpr std::int64_t open_files_max = 65'536;

constexpr std::string_view known[] = {"cpu", "wall", "memory", "processes", "output", "disk", "open_files"};
constexpr Later later[] = {
    {"io", "this version cannot limit io yet; leave it out"},
    {"cores", "this version cannot give a stage a number of cores yet; leave it out"},
    {"file_size", "this version cannot limit one file's size yet; `disk` bounds all of them together"},
    {"core", "core dumps are always off"},
};

constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

}  // namespace

Result<LimitKeys> read_limits(const Section& owner, const std::string& name) {
    LimitKeys keys;
    const Value* value = owner.find("limits");
    if (value == nullptr) return keys;
    ASSAY_TRY(const Section limits, Section::open(owner.file(), *value, name, known, later));
    ASSAY_TRY(keys.cpu_ms, limits.duration_ms("cpu", time_min_ms, time_max_ms));
    ASSAY_TRY(keys.wall_ms, limits.duration_ms("wall", time_min_ms, time_max_ms));
    ASSAY_TRY(keys.memory_bytes, limits.size("memory", memory_min_bytes, memory_max_bytes));
    ASSAY_TRY(keys.processes, limits.whole("processes", 1, processes_max));
    ASSAY_TRY(keys.output_bytes, limits.size("output", output_min_bytes, output_max_bytes));
    ASSAY_TRY(keys.disk_bytes, limits.size("disk", disk_min_bytes, memory_max_bytes));
    ASSAY_TRY(keys.open_files, limits.whole("open_files", open_files_min, open_files_max));
    return keys;
}

model::Limits merge_limits(std::initializer_list<LimitKeys> layers, bool on_disk) {
    model::Limits limits;
    // The place of the layer that said it, or nowhere.
    const auto take = [&](std::optional<std::int64_t> LimitKeys::* key, std::int64_t& out) {
        const auto found =
            std::ranges::find_if(layers, [&](const LimitKeys& layer) { return (layer.*key).has_value(); });
        if (found == layers.end()) return nowhere;
        out = *((*found).*key);
        return static_cast<std::size_t>(found - layers.begin());
    };
    take(&LimitKeys::cpu_ms, limits.cpu_ms);
    take(&LimitKeys::wall_ms, limits.wall_ms);
    take(&LimitKeys::processes, limits.processes);
    take(&LimitKeys::output_bytes, limits.output_bytes);
    take(&LimitKeys::open_files, limits.open_files);
    const std::size_t memory_from = take(&LimitKeys::memory_bytes, limits.memory_bytes);
    const std::int64_t quarter = limits.memory_bytes / 4;
    const std::size_t disk_from = take(&LimitKeys::disk_bytes, limits.disk_bytes);
    if (disk_from == nowhere)
        limits.disk_bytes = quarter;
    else if (memory_from < disk_from && !on_disk) limits.disk_bytes = std::min(limits.disk_bytes, quarter);
    return limits;
}

}  // namespace assay::course
