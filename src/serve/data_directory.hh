// DataDirectory: whose it is, that only one process works on it, and what is in it.
//
// The lock is this process's alone (never inherited), and "is a server running" is the lock, never a socket file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hh"
#include "sys/process.hh"

namespace assay::serve {

// What may be there, and what may be made of it.
enum class Opening {
    existing,  // only a directory that holds data already
    or_new,    // the same, or one that is missing or empty, which is made a data directory
    to_serve,  // the same; and a copy of another one gets an id of its own, so that their servers never meet
};

class DataDirectory {
public:
    // Takes the lock, decides the owner, reads or makes the id. As root, a directory that root owns (a new one as well) is
    // given to `user`; by default to the system user `assay` if there is one, else to a free uid in 61184-65519 chosen once.
    // Nothing is made, changed or given away where something else lies: a directory holds our data when it has our `id`, which
    // a first start makes before all but the lock. Errors: missing (no data there, or no such user), invalid (a file, or other
    // files), conflict (locked, by whom), denied (a parent the owner cannot enter).
    static Result<DataDirectory> open(const std::string& path, const std::string& user, Opening);

    // Becomes the owner for good (root only; otherwise nothing) and makes what is missing inside.
    Result<> enter();

    const std::string& path() const { return path_; }      // absolute
    std::string inside(const std::string& name) const { return path_ + "/" + name; }
    const std::string& id() const { return id_; }           // 16 hex digits, for what runs now: names of cgroups, uids; nothing kept has it
    std::uint32_t owner_uid() const { return uid_; }
    std::uint32_t owner_gid() const { return gid_; }

private:
    DataDirectory(std::string path, std::string id, std::uint32_t uid, std::uint32_t gid, sys::ProcessLock lock)
        : path_{std::move(path)}, id_{std::move(id)}, uid_{uid}, gid_{gid}, lock_{std::move(lock)} {}

    std::string path_;
    std::string id_;
    std::uint32_t uid_;
    std::uint32_t gid_;
    sys::ProcessLock lock_;
};

// Whether data of ours is at `path`, as far as the caller may see.
bool holds_data(const std::string& path);

// The pid of the server that holds the directory's lock; nullopt when none does or the directory is not there.
Result<std::optional<int>> server_of(const std::string& path);

}  // namespace assay::serve
