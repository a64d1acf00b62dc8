// Groups by name, wherever they are, with all that is in them: what nobody has a Group of any more.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/control.hh"
#include "sandbox/process.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

constexpr int depth_max = 8;

void subtree(const std::string& root, int depth, std::vector<std::string>& into) {
    if (depth > depth_max) return;
    Result<std::vector<std::string>> names = sys::list_directory(root);
    if (!names) return;
    for (const std::string& name : *names) {
        struct stat info{};
        const std::string path = root + "/" + name;
        if (::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) subtree(path, depth + 1, into);
    }
    into.push_back(root);  // Children first.
}

}  // namespace

std::vector<std::string> find_groups(const std::vector<Hierarchy>& hierarchies, const std::string& name) {
    std::vector<std::string> found;
    for (const Hierarchy& hierarchy : hierarchies) {
        std::vector<std::string> all;
        subtree(hierarchy.mount, 0, all);
        for (const std::string& path : all) {
            if (path.ends_with("/" + name) && std::ranges::find(found, path) == found.end()) found.push_back(path);
        }
    }
    return found;
}

Result<> kill_and_remove(const std::vector<std::string>& roots, sys::TimePoint deadline) {
    for (const std::string& root : roots) {
        for (;;) {
            (void)write_control(root + "/cgroup.kill", "1");  // Version 2 only; the loop below does the rest.
            std::vector<std::string> directories;
            subtree(root, 0, directories);
            for (const std::string& directory : directories) {
                const std::string members = read_control(directory + "/cgroup.procs");
                for (const std::string_view line : split(members, '\n')) {
                    const std::optional<std::int64_t> pid = to_number(line);
                    if (!pid || *pid <= 1 || *pid == ::getpid()) continue;
                    const sys::Fd pidfd = open_pidfd(static_cast<int>(*pid));
                    // Still a member after the pidfd was opened: the pid was not given to a stranger meanwhile.
                    const std::string again = "\n" + read_control(directory + "/cgroup.procs");
                    if (pidfd && again.contains("\n" + std::to_string(*pid) + "\n")) kill_process(pidfd);
                }
                (void)::rmdir(directory.c_str());
            }
            if (::access(root.c_str(), F_OK) != 0) break;
            if (sys::system_clock().now() >= deadline) return Error{Fault::timed_out, "the group " + root + " does not become empty"};
            pause_for(retry_every);
        }
    }
    return ok;
}

Result<> kill_and_remove(const std::vector<Hierarchy>& trees, const std::string& name, sys::TimePoint deadline) {
    std::vector<std::string> roots;
    for (const Hierarchy& tree : trees) roots.push_back(tree.own + "/" + name);
    return kill_and_remove(roots, deadline);
}

}  // namespace assay::sandbox
