#include "diagnosis/proc_text.hh"

#include <fmt/format.h>

#include <charconv>

#include "base/text.hh"

namespace assay::diagnosis {
namespace {

template <class Number = std::int64_t>
std::optional<Number> parsed(std::string_view text, int base = 10) {
    Number value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> found;
    for (std::size_t at = 0; (at = line.find_first_not_of(" \t\n", at)) != std::string_view::npos;) {
        const std::size_t end = std::min(line.find_first_of(" \t\n", at), line.size());
        found.push_back(line.substr(at, end - at));
        at = end;
    }
    return found;
}

// Octal escapes of mountinfo: \040 is a space.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto code =
            text[at] == '\\' && at + 3 < text.size() ? parsed<unsigned>(text.substr(at + 1, 3), 8) : std::nullopt;
        if (!code) {
            out += text[at];
            continue;
        }
        out += static_cast<char>(*code);
        at += 3;
    }
    return out;
}

std::uint64_t device_of(std::string_view major_minor) {
    const std::size_t colon = major_minor.find(':');
    if (colon == std::string_view::npos) return 0;
    const std::uint64_t major = parsed<std::uint64_t>(major_minor.substr(0, colon)).value_or(0);
    const std::uint64_t minor = parsed<std::uint64_t>(major_minor.substr(colon + 1)).value_or(0);
    return (minor & 0xffU) | ((major & 0xfffU) << 8U) | ((minor & ~0xffULL) << 12U) |
           ((major & ~0xfffULL) << 32U);  // gnu_dev_makedev
}

// "0100007F:1F90", each word of four bytes in the order of this machine.
std::string address_text(std::string_view raw) {
    const std::size_t colon = raw.find(':');
    if (colon == std::string_view::npos) return std::string{raw};
    const unsigned port = parsed<unsigned>(raw.substr(colon + 1), 16).value_or(0);
    const auto bytes = from_hex(lower_ascii(raw.substr(0, colon)));
    if (!bytes || bytes->size() % 4 != 0) return std::string{raw};
    std::string in_order;
    for (std::size_t word = 0; word < bytes->size(); word += 4) {
        for (std::size_t i = 0; i < 4; ++i) in_order += (*bytes)[word + 3 - i];
    }
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(in_order[i]); };
    if (in_order.size() == 4) return fmt::format("{}.{}.{}.{}:{}", byte(0), byte(1), byte(2), byte(3), port);
    if (in_order.size() != 16) return std::string{raw};
    if (in_order.starts_with(std::string_view{"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12}))
        return fmt::format("{}.{}.{}.{}:{}", byte(12), byte(13), byte(14), byte(15), port);
    std::string text;
    for (std::size_t i = 0; i < 16; i += 2)
        text += fmt::format("{}{:x}", i == 0 ? "" : ":", byte(i) << 8U | byte(i + 1));
    return fmt::format("[{}]:{}", text, port);
}

}  // namespace

std::optional<std::int64_t> number_of(std::string_view text) {
    const auto value = parsed(trimmed(text));
    return value && *value >= 0 ? value : std::nullopt;
}

std::optional<Stat> stat_of(std::string_view text) {
    const std::size_t open = text.find('(');
    const std::size_t close = text.rfind(')');  // a name may hold both
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
    const auto pid = parsed<int>(trimmed(text.substr(0, open)));
    const auto rest = words(text.substr(close + 1));
    if (!pid || rest.size() < 37) return std::nullopt;
    const auto at = [&](std::size_t field) {
        return field - 3 < rest.size() ? parsed(rest[field - 3]).value_or(0) : 0;
    };  // 1-based, as in proc(5)
    return Stat{.pid = *pid,
                .name = escaped(text.substr(open + 1, close - open - 1), 64),
                .state = rest[0][0],
                .parent = static_cast<int>(at(4)),
                .minor_faults = at(10),
                .major_faults = at(12),
                .cpu_ticks = at(14) + at(15),
                .children_ticks = at(16) + at(17),
                .processor = static_cast<int>(at(39)),
                .exit_status = static_cast<int>(at(52)),
                .arguments_at = at(48)};
}

std::string_view field_of(std::string_view text, std::string_view name) {
    for (const std::string_view line : split(text, '\n')) {
        if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':')
            return trimmed(line.substr(name.size() + 1));
    }
    return {};
}

std::optional<std::int64_t> counter_of(std::string_view text, std::string_view name) {
    for (const std::string_view line : split(text, '\n')) {
        if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ' ')
            return parsed(trimmed(line.substr(name.size() + 1)));
    }
    return std::nullopt;
}

namespace {

template <class F>
void each_range(std::string_view list, const F& take) {
    for (const std::string_view part : split(trimmed(list), ',')) {
        const std::size_t dash = part.find('-');
        const auto first = parsed<int>(part.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : parsed<int>(part.substr(dash + 1));
        if (first && last && *last >= *first) take(*first, *last);
    }
}

}  // namespace

std::int64_t busy_ticks(std::string_view stat, std::string_view cpus) {
    std::int64_t ticks = 0;
    for (const std::string_view line : split(stat, '\n')) {
        const auto fields = split(line, ' ');  // cpuN, user, nice, system, idle, iowait, irq, softirq, steal, …
        if (!line.starts_with("cpu") || fields.size() < 8) continue;
        const auto cpu = number_of(fields[0].substr(3));
        if (!cpu || !in_list(cpus, static_cast<int>(*cpu))) continue;
        for (const std::size_t at : {1U, 2U, 3U, 6U, 7U}) ticks += number_of(fields[at]).value_or(0);
    }
    return ticks;
}

int cpus_in_list(std::string_view list) {
    int sum = 0;
    each_range(list, [&](int first, int last) { sum += last - first + 1; });
    return sum;
}

bool in_list(std::string_view list, int cpu) {
    bool found = false;
    each_range(list, [&](int first, int last) { found = found || (cpu >= first && cpu <= last); });
    return found;
}

Scheduled scheduled_of(std::string_view text) {
    const auto numbers = words(text);
    if (numbers.size() < 2) return {};
    return {.cpu_ns = parsed(numbers[0]).value_or(0), .delay_ns = parsed(numbers[1]).value_or(0)};
}

std::optional<Call> call_of(std::string_view text) {
    const auto parts = words(text);
    if (parts.empty()) return std::nullopt;
    if (parts[0] == "running") return Call{.running = true};
    const auto number = parsed<long>(parts[0]);
    if (!number) return std::nullopt;
    Call call{.number = *number};
    for (std::size_t i = 0; *number >= 0 && i < 6 && i + 1 < parts.size(); ++i) {
        std::string_view hex = parts[i + 1];
        if (hex.starts_with("0x")) hex.remove_prefix(2);
        call.arguments[i] = parsed<std::uint64_t>(hex, 16).value_or(0);
    }
    return call;
}

std::optional<std::int64_t> pressure_us(std::string_view text) {
    if (!text.starts_with("some ")) return std::nullopt;
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::size_t at = line.find(" total=");
    return at == std::string_view::npos ? std::nullopt : number_of(line.substr(at + 7));
}

std::vector<MountLine> mounts_of(std::string_view mountinfo) {
    std::vector<MountLine> mounts;
    for (const std::string_view line : split(mountinfo, '\n')) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string_view::npos) continue;
        const auto left = words(line.substr(0, dash));
        const auto right = words(line.substr(dash + 3));
        if (left.size() < 6 || right.size() < 2) continue;
        mounts.push_back({.root = unescaped(left[3]),
                          .path = unescaped(left[4]),
                          .type = std::string{right[0]},
                          .options = right.size() > 2 ? std::string{right[2]} : "",
                          .device = device_of(left[2])});
    }
    return mounts;
}

const MountLine* mount_of(const std::vector<MountLine>& mounts, std::string_view path) {
    const MountLine* best = nullptr;
    for (const MountLine& mount : mounts) {
        const bool below = path.starts_with(mount.path) &&
                           (mount.path == "/" || path.size() == mount.path.size() || path[mount.path.size()] == '/');
        if (below && (best == nullptr || mount.path.size() >= best->path.size())) best = &mount;
    }
    return best;
}

std::map<std::string, std::string> groups_of(std::string_view text) {
    std::map<std::string, std::string> groups;
    for (const std::string_view line : split(text, '\n')) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        for (const std::string_view controller : split(line.substr(first + 1, second - first - 1), ','))
            groups[std::string{controller}] = line.substr(second + 1);
    }
    return groups;
}

std::vector<Connection> connections_of(std::string_view text) {
    std::vector<Connection> found;
    for (const std::string_view line : split(text, '\n')) {
        const auto parts = words(line);
        if (parts.size() < 10 || !parts[0].ends_with(':')) continue;
        found.push_back({.local = std::string{parts[1]},
                         .remote = std::string{parts[2]},
                         .local_text = address_text(parts[1]),
                         .remote_text = address_text(parts[2]),
                         .listening = parts[3] == "0A",
                         .inode = parsed<std::uint64_t>(parts[9]).value_or(0)});
    }
    return found;
}

std::vector<UnixSocket> unix_sockets_of(std::string_view text) {
    constexpr unsigned accepts = 0x10000;  // __SO_ACCEPTCON
    std::vector<UnixSocket> found;
    for (const std::string_view line : split(text, '\n')) {
        const auto parts = words(line);
        if (parts.size() < 7) continue;
        const auto inode = parsed<std::uint64_t>(parts[6]);
        if (!inode) continue;
        found.push_back({.inode = *inode,
                         .listening = (parsed<unsigned>(parts[3], 16).value_or(0) & accepts) != 0,
                         .path = parts.size() > 7 ? escaped(parts[7]) : ""});
    }
    return found;
}

std::vector<FileLock> file_locks_of(std::string_view text) {
    std::vector<FileLock> found;
    for (const std::string_view line : split(text, '\n')) {
        auto parts = words(line);
        const bool waits = parts.size() > 1 && parts[1] == "->";
        if (waits) parts.erase(parts.begin() + 1);
        if (parts.size() < 6) continue;
        const auto pid = parsed<int>(parts[4]);
        if (pid) found.push_back({.pid = *pid, .waits = waits, .file = std::string{parts[5]}});
    }
    return found;
}

std::optional<std::uint64_t> inode_in(std::string_view link, std::string_view kind) {
    if (!link.starts_with(kind) || !link.substr(kind.size()).starts_with(":[") || !link.ends_with(']'))
        return std::nullopt;
    return parsed<std::uint64_t>(link.substr(kind.size() + 2, link.size() - kind.size() - 3));
}

}  // namespace assay::diagnosis
