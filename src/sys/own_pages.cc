#include "sys/own_pages.hh"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/text.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sys {
namespace {

constexpr std::size_t maps_bytes_max = 1u << 20;
constexpr std::size_t page = 4096;
constexpr std::size_t entries_at_once = 512;
// Documentation/admin-guide/mm/pagemap.rst
constexpr std::uint64_t present = std::uint64_t{1} << 63;
constexpr std::uint64_t of_file_or_shared = std::uint64_t{1} << 61;

void* address(std::uintptr_t at) { return reinterpret_cast<void*>(at); }  // NOLINT(performance-no-int-to-ptr)

// `visit(begin, end)` for each run of pages of `mapped` whose entries have all bits of `wanted`.
template <class Visit>
void each_run(const Fd& map, const Mapped& mapped, std::uint64_t wanted, Visit visit) {
    std::array<std::uint64_t, entries_at_once> entries{};
    std::uintptr_t run = 0;  // where it began; 0: none
    for (std::uintptr_t at = mapped.begin; at < mapped.end;) {
        const std::size_t count = std::min((mapped.end - at) / page, entries.size());
        const auto offset = static_cast<off_t>(at / page * sizeof(std::uint64_t));
        const ssize_t got = ::pread(map.get(), entries.data(), count * sizeof(std::uint64_t), offset);
        if (got <= 0) break;
        const std::size_t read = static_cast<std::size_t>(got) / sizeof(std::uint64_t);
        for (std::size_t i = 0; i < read; ++i, at += page) {
            const bool is = (entries[i] & wanted) == wanted;
            if (is && run == 0) run = at;
            if (!is && run != 0) visit(std::exchange(run, 0), at);
        }
        if (read < count) break;
    }
    if (run != 0) visit(run, mapped.end);
}

}  // namespace

std::vector<Mapped> mappings(std::string_view maps) {
    std::vector<Mapped> found;
    for (const std::string_view line : split(maps, '\n')) {
        Mapped mapped;
        const char* const last = line.data() + line.size();
        const auto [dash, bad_begin] = std::from_chars(line.data(), last, mapped.begin, 16);
        if (bad_begin != std::errc{} || dash == last || *dash != '-') continue;
        const auto [space, bad_end] = std::from_chars(dash + 1, last, mapped.end, 16);
        if (bad_end != std::errc{} || space == last || *space != ' ' || mapped.end <= mapped.begin) continue;
        const std::string_view rest{space + 1, last};
        if (rest.size() < 4 || rest[0] != 'r' || rest.contains("[v")) continue;  // [vdso], [vvar], [vsyscall]: the kernel's
        mapped.writable = rest[1] == 'w';
        mapped.of_file = rest[3] == 'p' && rest.contains(" /");
        found.push_back(mapped);
    }
    return found;
}

Result<OwnPages> OwnPages::open() {
    Fd map{::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)};
    if (!map) return last_error("open", "/proc/self/pagemap");
    return OwnPages{std::move(map)};
}

void OwnPages::forget_text() const {
    const auto maps = read_file("/proc/self/maps", maps_bytes_max);
    if (!maps) return;
    for (const Mapped& mapped : mappings(*maps)) {
        if (mapped.writable || !mapped.of_file) continue;
        // Pages that were written before they became constant are no file's any more, and stay.
        each_run(map_, mapped, present | of_file_or_shared, [](std::uintptr_t begin, std::uintptr_t end) {
            (void)::madvise(address(begin), end - begin, MADV_DONTNEED);
        });
    }
}

Result<std::int64_t> OwnPages::lock_present(std::span<const std::byte> but) const {
    ASSAY_TRY(const std::string maps, read_file("/proc/self/maps", maps_bytes_max));
    const auto but_begin = reinterpret_cast<std::uintptr_t>(but.data());
    const std::uintptr_t but_end = but_begin + but.size();
    std::int64_t locked = 0;
    std::optional<Error> refused;
    const auto lock = [&](std::uintptr_t begin, std::uintptr_t end) {
        if (refused) return;
        const std::size_t size = end - begin;
        if (::mlock(address(begin), size) == 0) locked += static_cast<std::int64_t>(size);
        else refused = last_error("mlock", size_text(static_cast<std::int64_t>(size)) + " beyond " + size_text(locked));
    };
    for (const Mapped& mapped : mappings(maps)) {
        // Neighbours may have become one mapping, and one with parts that are locked already is several.
        Mapped before = mapped;
        Mapped behind = mapped;
        if (but_begin < mapped.end && mapped.begin < but_end) {
            before.end = std::max(mapped.begin, but_begin);
            behind.begin = std::min(mapped.end, but_end);
        } else {
            behind.begin = behind.end;
        }
        each_run(map_, before, present, lock);
        each_run(map_, behind, present, lock);
    }
    if (refused) return *refused;
    return locked;
}

}  // namespace assay::sys
