#include "sandbox/provisions.hh"

#include <algorithm>
#include <utility>

#include "sandbox/cores.hh"
#include "sandbox/disks.hh"

namespace assay::sandbox {
namespace {

std::optional<Lack> lack_of_folder(const std::string& folder) {
    const Result<std::string> disk = disk_of(folder);  // What lies in memory, or nowhere known, is none.
    if (disk) return std::nullopt;
    return Lack{disk.error().text(), "name a folder on a disk: the data directory, or TMPDIR of a single run"};
}

}  // namespace

Result<Provisions> provide(const HelperConfig& config) {
    Provisions found;
    for (const FilterKind kind : {FilterKind::language, FilterKind::compiled, FilterKind::fill}) {
        ASSAY_TRY(found.filters[static_cast<std::size_t>(kind)], Filter::compile(kind));
    }
    found.cores = machine_cores();
    for (const std::string& path : {std::string{"/"}, std::string{"/usr"}, config.data}) {
        if (path.empty()) continue;
        Result<std::string> disk = disk_of(path);
        if (disk && std::ranges::find(found.disks, *disk) == found.disks.end())
            found.disks.push_back(std::move(disk).value());
    }
    if (config.disk_scratch.mib_max > 0) found.lack_of_folder = lack_of_folder(config.disk_scratch.folder);
    return found;
}

}  // namespace assay::sandbox
