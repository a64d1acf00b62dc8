// The file tree that a sandboxed command sees, made of mounts.
//
// The helper prepares templates of /etc and /dev once; a keeper mounts the writable parts in its own mount namespace, where
// they outlive the command (sealed states, reports); the sandbox's init puts the tree together in its namespace and enters it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

struct StageView {
    std::string name;
    std::vector<std::string> layers;  // newest first
};

struct Mounted {                      // a detached mount to attach at `inside`
    int tree = -1;
    std::string inside;
};

struct World {
    bool trusted = false;
    bool contained = false;           // we are root of a user namespace alone: overlays keep their marks in attributes that anybody may set
    bool network = false;             // the host's: /etc/resolv.conf is needed
    int prepared = -1;                // a namespace of prepare_root, for a command that needs nothing but what is written below it
    std::string image;                // where the image is mounted that it sees; empty: the host's own folders
    std::string scratch;  // mounted, with the directories of make_scratch_folders
    std::vector<std::string> layers;  // sealed states below the working directory, newest first
    std::string submission;           // trusted: mounted tmpfs, or empty
    std::string grader;               // the same
    std::vector<StageView> stages;    // trusted
    std::string assay;                // trusted: the directory to show as /assay (make_assay), or empty
    std::vector<Mounted> binds;
};

// In the helper, in a mount namespace of its own: a workbench over /tmp with templates of /etc and /dev.
Result<> make_workbench();
// A root as every plain command sees it, in a mount namespace of its own that the sandbox's init copies, so that per command only
// what is its own has to be mounted. `image`: as in World; `at`: an empty directory. Leaves the caller in `own_mounts`.
Result<sys::Fd> prepare_root(const std::string& image, const std::string& at, const sys::Fd& own_mounts);
// There too: the launcher, in a file that root alone may execute. The descriptor is for nothing else.
Result<sys::Fd> place_launcher();
// In a keeper, in a mount namespace of its own: the directory that is its own part of the workbench.
Result<std::string> make_bench();

// A tmpfs at `path` (created), nosuid, nodev, of exactly these bytes and inodes.
Result<> mount_tmpfs(const std::string& path, std::int64_t bytes, std::int64_t inodes);
// Scratch in memory, with its directories.
Result<> make_scratch(const std::string& path, std::int64_t disk_bytes, std::uint32_t uid);
// The directories of a scratch that is mounted there, those of a person owned by `uid`: work, tmp, vartmp, shm, ovl.
Result<> make_scratch_folders(const std::string& path, std::uint32_t uid);
Result<> resize_scratch(const std::string& path, std::int64_t disk_bytes);  // nothing is in it yet
Result<> make_read_only(const std::string& path);  // the file system itself, whoever has it mounted
void detach(const std::string& path);              // unmounts now or as soon as nobody uses it; removes the mount point
void detach_together(
    const std::vector<std::string>& scratches);  // the kernel lets every CPU go by, but once for all of them

struct Room {
    std::int64_t bytes = 0;
    bool full = false;  // no bytes or no inodes left; on disk also: so few bytes that a write may have been refused
    bool untouched = false;  // of a scratch in memory: no content, and hardly an inode beside ours
};
Result<Room> room_of(const std::string& path);

// A detached copy of the file or directory `fd` as seen in mount namespace `host_mounts`: nosuid, nodev, and read-only unless writable.
// Leaves the caller in `own_mounts`.
Result<sys::Fd> clone_path(int fd, bool writable, const sys::Fd& host_mounts, const sys::Fd& own_mounts);

// The root of an image, which a data directory holds as images/DIGEST/root. Errors: missing.
Result<sys::Fd> open_image(const sys::Fd& data, const std::string& digest);
// Mounts a detached tree at `path` (created).
Result<> attach_tree(const sys::Fd& tree, const std::string& path);

// A merged view of `layers` (newest first) at `target` (created), read-only, nosuid, nodev, noexec, links not followed.
Result<> show_layers(const std::vector<std::string>& layers, const std::string& target, bool contained);

// In the sandbox's init, in a pid namespace of its own: enters a mount namespace with the tree as its root, which is built at
// `bench`/root or was prepared.
Result<> enter_world(const World&, const std::string& bench);

// The regular file `name` below `directory`, at most `bytes_max`; empty when it is anything else, behind a link, or missing.
sys::Fd open_kept(const std::string& directory, const std::string& name, std::int64_t bytes_max);

}  // namespace assay::sandbox
