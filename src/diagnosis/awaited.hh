// Objects: what a thread in a system call waits for, by name, and who could end that. Reads /proc and, of locks, a few bytes of the
// process's memory; stops nobody and blocks for no disk.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "diagnosis/observed.hh"
#include "diagnosis/proc_text.hh"

namespace assay::diagnosis {

class Objects {
public:
    // `ours`: the pids of the tree. Descriptors of all processes that may be read are listed once, when first needed.
    Objects(std::set<int> ours, std::set<int> others);

    // `tids`: the threads of the process. `state`: of the thread.
    Awaited of(int pid, int tid, const Call& call, char state, const std::set<int>& tids);
    const std::set<std::string>& unread() const { return unread_; }

private:
    struct End {
        int pid = 0;
        bool reads = true, writes = true;
    };
    Awaited of_descriptor(int pid, int descriptor, bool writing);
    Awaited of_pipe(int pid, const std::string& link, bool writing);
    Awaited of_socket(int pid, std::uint64_t inode);
    Awaited of_lock(int pid, int tid, const Call& call, const std::set<int>& tids);
    Awaited of_events(int pid, const Call& call, std::string_view name);
    Awaited of_path(int pid, const Call& call, std::string_view name, char state);
    Awaited of_file_lock(int pid, int descriptor);
    void list_descriptors();
    const std::vector<End>& holders(const std::string& link);
    std::optional<std::string> memory(int pid, std::uint64_t address, std::size_t size);

    std::set<int> ours_, others_;
    std::map<std::string, std::vector<End>> holders_;
    bool listed_ = false;
    std::optional<std::map<std::uint64_t, std::uint64_t>> unix_peers_;
    std::vector<MountLine> mounts_;
    std::set<std::string> unread_;
};

}  // namespace assay::diagnosis
