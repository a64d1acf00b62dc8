// Where this host keeps its control groups, and where in them ours can be made.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "base/text.hh"
#include "sandbox/control.hh"
#include "sys/error.hh"

namespace assay::sandbox {
namespace {

constexpr std::size_t control_bytes_max = 64 << 10;
constexpr int move_rounds_max = 100;
const std::string outside = "/assay-outside";

bool lists(std::string_view words, char between, std::string_view word) {
    const auto all = split(words, between);
    return std::ranges::find(all, word) != all.end();
}

bool has_processes(const std::string& directory) { return !trimmed(read_control(directory + "/cgroup.procs")).empty(); }
bool is_root_group(const std::string& directory) { return ::access((directory + "/cgroup.type").c_str(), F_OK) != 0; }
bool is_delegated(const std::string& directory) {
    char value[2] = {};
    return std::ranges::any_of(std::to_array({"trusted.delegate", "user.delegate"}), [&](const char* name) {
        return ::getxattr(directory.c_str(), name, value, sizeof value) == 1 && value[0] == '1';
    });
}

// Where on version 2 our groups can be made: in the group this process is in, when it is the root, is given to us to divide, or is
// all that a container shows; else in the nearest above it that holds no processes, of those that limit the most.
void choose_place(Hierarchy& hierarchy) {
    const auto offered_at = [](const std::string& directory) {
        return std::ranges::count_if(controllers_at(directory), [](Controller controller) {
            return controller == Controller::memory || controller == Controller::pids || controller == Controller::cpu;
        });
    };
    hierarchy.crowded = has_processes(hierarchy.home) && !is_root_group(hierarchy.home);
    if (!hierarchy.crowded || is_delegated(hierarchy.home) || hierarchy.home == hierarchy.mount) return;
    std::ptrdiff_t most = 0;
    for (std::string at = hierarchy.home; at.size() > hierarchy.mount.size();) {
        at.resize(at.rfind('/'));
        if (!is_root_group(at) && has_processes(at)) continue;
        const std::ptrdiff_t offered = offered_at(at);
        if (offered <= most || ::access(at.c_str(), W_OK) != 0) continue;
        most = offered;
        hierarchy.own = at;
        hierarchy.crowded = false;
    }
    // A tree without controllers, as on a hybrid host: groups may stand beside processes, and nobody need move.
    if (offered_at(hierarchy.home) == 0) hierarchy.crowded = false;
}

}  // namespace

Result<> write_control(const std::string& path, std::string_view text) {
    const sys::Fd file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (!file) return sys::last_error("open", path);
    if (::write(file.get(), text.data(), text.size()) < 0) return sys::last_error("write " + std::string{text}, path);
    return ok;
}

// Most are a line: what a command waits for should not clear 64 KiB for it.
std::string read_open(const sys::Fd& file) {
    char piece[2048];
    std::string text;
    while (file && text.size() < control_bytes_max) {
        const ssize_t size = ::pread(file.get(), piece, sizeof piece, static_cast<off_t>(text.size()));
        if (size <= 0) break;
        text.append(piece, static_cast<std::size_t>(size));
        if (static_cast<std::size_t>(size) < sizeof piece) break;  // The kernel gives as much as there is.
    }
    return text;
}

sys::Fd open_control(const std::string& path) { return sys::Fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}; }

std::string read_control(const std::string& path) { return read_open(open_control(path)); }

std::optional<std::int64_t> to_number(std::string_view text) {
    std::int64_t value = 0;
    text = trimmed(text);
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<Controller> controllers_at(const std::string& directory) {
    std::vector<Controller> found{Controller::unified, Controller::cpuacct};  // Every group of version 2 counts CPU time.
    const std::string text = read_control(directory + "/cgroup.controllers");
    for (const Known& one : known) {
        if (!one.v2.empty() && lists(trimmed(text), ' ', one.v2)) found.push_back(one.controller);
    }
    return found;
}

void open_up(const std::string& directory) {
    const std::string offered = read_control(directory + "/cgroup.controllers");
    const std::string given = read_control(directory + "/cgroup.subtree_control");
    for (const Known& one : known) {
        if (one.v2.empty() || !lists(trimmed(offered), ' ', one.v2) || lists(trimmed(given), ' ', one.v2)) continue;
        (void)write_control(directory + "/cgroup.subtree_control", "+" + std::string{one.v2});
    }
}

bool Hierarchy::serves(Controller controller) const { return std::ranges::find(controllers, controller) != controllers.end(); }

std::vector<Hierarchy> find_hierarchies(std::string_view mountinfo, std::string_view cgroup) { return find_hierarchies(known, mountinfo, cgroup); }

std::vector<Hierarchy> find_hierarchies(std::span<const Known> wanted, std::string_view mountinfo, std::string_view cgroup) {
    std::vector<Hierarchy> found;
    const auto served = [&](Controller controller) { return std::ranges::any_of(found, [&](const Hierarchy& h) { return h.serves(controller); }); };
    for (const std::string_view line : split(mountinfo, '\n')) {
        const std::size_t dash = line.find(" - ");
        if (dash == line.npos) continue;
        const auto left = split(line.substr(0, dash), ' ');
        const auto right = split(line.substr(dash + 3), ' ');
        if (left.size() < 5 || right.size() < 3) continue;
        const bool second = right[0] == "cgroup2";
        if (!second && right[0] != "cgroup") continue;
        Hierarchy hierarchy{.version = second ? 2 : 1, .mount = std::string{left[4]}, .own = {}, .home = {}, .controllers = {}};
        if (second && !served(Controller::unified)) hierarchy.controllers = {Controller::unified};
        for (const Known& one : wanted) {
            if (!second && !one.v1.empty() && lists(right[2], ',', one.v1) && !served(one.controller)) hierarchy.controllers.push_back(one.controller);
        }
        if (hierarchy.controllers.empty()) continue;
        for (const std::string_view entry : split(cgroup, '\n')) {  // id:controllers:path
            const std::size_t first = entry.find(':');
            const std::size_t next = first == entry.npos ? entry.npos : entry.find(':', first + 1);
            if (next == entry.npos) continue;
            const std::string_view names = entry.substr(first + 1, next - first - 1);
            const bool its = second ? names.empty() : std::ranges::any_of(wanted, [&](const Known& one) {
                return hierarchy.serves(one.controller) && lists(names, ',', one.v1);
            });
            if (!its) continue;
            std::string_view path = entry.substr(next + 1);
            // A container may see only a part of the tree: its root is then the path's beginning.
            if (left[3] != "/") path = path.starts_with(left[3]) ? path.substr(left[3].size()) : "";
            if (path == "/" || path.contains("/..")) path = "";
            hierarchy.own = hierarchy.home = hierarchy.mount + std::string{path};
            found.push_back(std::move(hierarchy));
            break;
        }
    }
    for (Hierarchy& hierarchy : found) {
        if (hierarchy.version == 1) continue;
        choose_place(hierarchy);
        for (const Controller controller : controllers_at(hierarchy.own)) {
            if (!served(controller)) hierarchy.controllers.push_back(controller);
        }
    }
    return found;
}

std::vector<Hierarchy> find_hierarchies() {
    std::vector<Hierarchy> found = find_hierarchies(read_control("/proc/self/mountinfo"), read_control("/proc/self/cgroup"));
    std::erase_if(found, [](const Hierarchy& hierarchy) { return ::access(hierarchy.own.c_str(), W_OK) != 0; });
    return found;
}

std::vector<Hierarchy> trees_of_version_1(const Known& wanted) {
    std::vector<Hierarchy> found =
        find_hierarchies({&wanted, 1}, read_control("/proc/self/mountinfo"), read_control("/proc/self/cgroup"));
    std::erase_if(found,
                  [](const Hierarchy& tree) { return tree.version != 1 || ::access(tree.own.c_str(), W_OK) != 0; });
    return found;
}

Result<> make_room(std::vector<Hierarchy>& hierarchies) {
    for (Hierarchy& hierarchy : hierarchies) {
        if (!hierarchy.crowded) continue;
        const std::string leaf = hierarchy.own + outside;
        // With controllers handed on beside processes, groups below it are no place for any (EOPNOTSUPP).
        const std::string given = read_control(hierarchy.own + "/cgroup.subtree_control");
        for (const std::string_view name : split(trimmed(given), ' ')) {
            if (!name.empty()) (void)write_control(hierarchy.own + "/cgroup.subtree_control", "-" + std::string{name});
        }
        if (::mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return sys::last_error("mkdir", leaf);
        for (int round = 0; has_processes(hierarchy.own); ++round) {  // Again: they may fork while we move them.
            if (round == move_rounds_max) return Error{Fault::busy, "the processes of " + hierarchy.own + " do not let themselves be moved"};
            const std::string members = read_control(hierarchy.own + "/cgroup.procs");
            for (const std::string_view pid : split(members, '\n')) {
                if (!pid.empty()) (void)write_control(leaf + "/cgroup.procs", pid);  // It may have ended.
            }
        }
        hierarchy.home = leaf;
        hierarchy.crowded = false;
    }
    return ok;
}

std::vector<Hierarchy> lodge(std::vector<Hierarchy> hierarchies, const std::string& name) {
    for (Hierarchy& hierarchy : hierarchies) {
        const std::string place = hierarchy.mount + "/" + name;
        if (name.empty() || ::access(place.c_str(), W_OK) != 0) continue;
        hierarchy.own = place;
        if (hierarchy.version == 1) continue;
        hierarchy.crowded = has_processes(place);  // Of a manager that keeps no empty group.
        const std::vector<Controller> offered = controllers_at(place);
        std::erase_if(hierarchy.controllers,
                      [&](Controller one) { return std::ranges::find(offered, one) == offered.end(); });
    }
    return hierarchies;
}

void keep_memory(const std::vector<Hierarchy>& hierarchies) {
    for (const Hierarchy& hierarchy : hierarchies) {
        if (hierarchy.version == 1 || hierarchy.home != hierarchy.own + outside) continue;
        const std::string kept = read_control(hierarchy.own + "/memory.min");
        if (to_number(kept).value_or(0) > 0 || trimmed(kept) == "max") (void)write_control(hierarchy.home + "/memory.min", trimmed(kept));
    }
}

}  // namespace assay::sandbox
