// Every bind is open_tree + mount_setattr + move_mount: its attributes hold before anyone can see it. Paths used here are our
// own, or (binds) resolved inside the new root without following links.
#include "sandbox/root.hh"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.hh"
#include "model/image.hh"
#include "model/limits.hh"
#include "sandbox/mount.hh"
#include "sandbox/protocol.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

constexpr int scratch_inodes_own = 16;  // our own directories, so that a program gets all that was promised

// What a root has of us, whatever an image has in its place.
constexpr std::string_view ours[] = {"assay", "dev", "grader", "out", "proc", "stages", "submission", "sys", "tmp", "work"};

// The machine's own system folders. On a merged-usr system all but /usr are links, and stay links.
Result<> bind_system(const std::string& root) {
    ASSAY_CHECK(show_entry("/usr", root + "/usr"));
    for (const std::string name : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
        if (sys::info_of_path(name)) ASSAY_CHECK(show_entry(name, root + name));
    }
    return ok;
}

std::string joined(const std::vector<std::string>& layers) {
    std::string text;
    for (const std::string& layer : layers) text += (text.empty() ? "" : ":") + layer;
    return text;
}

// What a command finds at /work, detached: its scratch, or that over the states that were sealed before.
Result<sys::Fd> work_tree(const World& world, const std::string& bench) {
    if (world.layers.empty()) return clone_tree(AT_FDCWD, world.scratch + "/work", safe);
    // The kernel takes values of at most 255 bytes, so names below the bench.
    if (::chdir(bench.c_str()) != 0) return sys::last_error("chdir", bench);
    const auto below = [&](const std::string& path) { return path.substr(bench.size() + 1); };
    std::vector<std::string> layers;
    for (const std::string& layer : world.layers) layers.push_back(below(layer));
    const sys::Fd overlay{::fsopen("overlay", FSOPEN_CLOEXEC)};
    if (!overlay) return sys::last_error("fsopen", "overlay");
    for (const auto& [key, value] : {std::pair{"lowerdir", joined(layers)}, {"upperdir", below(world.scratch) + "/work"}, {"workdir", below(world.scratch) + "/ovl"},
                                     {"redirect_dir", world.contained ? "nofollow" : "on"}, {"index", "off"}, {"metacopy", "off"}, {"xino", "off"}}) {
        if (::fsconfig(overlay.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) != 0) return sys::last_error("fsconfig", key);
    }
    for (const char* const flag : {"volatile", "userxattr"}) {
        if (flag == std::string_view{"userxattr"} && !world.contained) continue;
        if (::fsconfig(overlay.get(), FSCONFIG_SET_FLAG, flag, nullptr, 0) != 0) return sys::last_error("fsconfig", flag);
    }
    if (::fsconfig(overlay.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return sys::last_error("fsconfig", "overlay");
    sys::Fd tree{::fsmount(overlay.get(), FSMOUNT_CLOEXEC, safe)};
    if (!tree) return sys::last_error("fsmount", "overlay");
    return tree;
}

Result<> mount_trusted(const World& world, const std::string& root) {
    ASSAY_CHECK(make_dir(root + "/out"));
    ASSAY_CHECK(bind(world.scratch + "/work", root + "/out", safe));
    for (const auto& [from, to] : {std::pair{&world.submission, "/submission"}, {&world.grader, "/grader"}}) {
        ASSAY_CHECK(make_dir(root + to));
        // Read-only comes with the file system itself, after it was filled.
        if (!from->empty()) ASSAY_CHECK(bind(*from, root + to, exhibited & ~static_cast<std::uint64_t>(MOUNT_ATTR_RDONLY)));
    }
    ASSAY_CHECK(make_dir(root + "/stages"));
    for (const StageView& stage : world.stages) {
        ASSAY_CHECK(show_layers(stage.layers, root + "/stages/" + stage.name, world.contained));
    }
    if (world.assay.empty()) return ok;
    ASSAY_CHECK(make_dir(root + "/assay"));
    ASSAY_CHECK(bind(world.assay, root + "/assay", shown));
    return bind(own_program, root + "/assay/run", shown);
}

Result<> attach_to(int tree, const sys::Fd& target, const std::string& name) {
    if (::move_mount(tree, "", target.get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) return sys::last_error("move_mount", name);
    return ok;
}

// Makes the directories of `inside` that are missing below `root`, without following a link out of it.
Result<> bind_inside(const std::string& root, const Mounted& what) {
    sys::Fd at{::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    for (const std::string_view component : split(std::string_view{what.inside}.substr(1), '/')) {
        const std::string name{component};
        if (::mkdirat(at.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
            if (errno == EROFS) return Error{Fault::missing, what.inside + " is not in the image, and an image is never written to"};
            return sys::last_error("mkdir", what.inside);
        }
        Result<sys::Fd> next = sys::open_beneath(at, name, O_PATH | O_DIRECTORY);
        if (!next) return next.take_error().in(what.inside);
        at = std::move(next).value();
    }
    return attach_to(what.tree, at, what.inside);
}

// Over what is at `inside`, no component of which may be a link: whoever made the image may have meant another place.
Result<> bind_over(const std::string& from, const std::string& root, const std::string& inside, std::uint64_t attributes) {
    ASSAY_TRY(const sys::Fd tree, clone_tree(AT_FDCWD, from, attributes));
    const sys::Fd at{::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    Result<sys::Fd> target = sys::open_beneath(at, inside, O_PATH);
    if (!target) return target.take_error().in("the image");
    return attach_to(tree.get(), *target, inside);
}

// The image's folders, each a mount of its own below a root of ours, so that every name at the top is ours to give. Links at
// the top are kept as they are: only the command ever follows them.
Result<> bind_image(const std::string& image, const std::string& root) {
    ASSAY_TRY(const std::vector<std::string> names, sys::list_directory(image));
    if (names.size() > model::image_top_names_max) return Error{Fault::too_large, "the image has too many names at its top"};
    for (const std::string& name : names) {
        if (std::ranges::find(ours, name) != std::end(ours)) continue;
        ASSAY_CHECK(show_entry(image + "/" + name, root + "/" + name));
    }
    for (const std::string_view name : model::image_etc_files) {
        const std::string file = "etc/" + std::string{name};
        ASSAY_CHECK(bind_over(workbench + "/" + file, root, file, shown));
    }
    return ok;
}

// The machine's own folders, and an /etc that tells nothing about it.
Result<> bind_host(const std::string& root) {
    ASSAY_CHECK(bind_system(root));
    for (const char* const name : {"/etc", "/var", "/var/tmp", "/root", "/home"}) ASSAY_CHECK(make_dir(root + name));
    return bind(workbench + "/etc", root + "/etc", shown);
}

// All that does not differ from command to command.
Result<> build_root(const std::string& image, const std::string& root) {
    if (::mount("assay", root.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=256,mode=0755") != 0) return sys::last_error("mount(tmpfs)", root);
    ASSAY_CHECK(image.empty() ? bind_host(root) : bind_image(image, root));
    for (const char* const name : {"/dev", "/proc", "/tmp"}) ASSAY_CHECK(make_dir(root + name));
    return bind(workbench + "/dev", root + "/dev", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

// Of the caller's pid namespace. Where a user namespace is all that we have, the kernel wants to see another /proc that hides nothing in
// the mount namespace of whoever makes it.
Result<sys::Fd> proc_tree() {
    const sys::Fd made{::fsopen("proc", FSOPEN_CLOEXEC)};
    const auto set = [&made](const char* key, const char* value) { return ::fsconfig(made.get(), FSCONFIG_SET_STRING, key, value, 0) == 0; };
    if (!made || !set("hidepid", "2") || !set("subset", "pid") || ::fsconfig(made.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
        return sys::last_error("fsopen", "proc");
    sys::Fd tree{::fsmount(made.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)};
    if (!tree) return sys::last_error("fsmount", "proc");
    return tree;
}

// Makes `root` the root of its mount namespace, for good and read-only.
Result<> turn_to(const std::string& root) {
    if (::chdir(root.c_str()) != 0) return sys::last_error("chdir", root);
    if (::syscall(SYS_pivot_root, ".", ".") != 0) return sys::last_error("pivot_root", root);
    if (::umount2(".", MNT_DETACH) != 0) return sys::last_error("umount2", "old root");
    if (::chdir("/") != 0) return sys::last_error("chdir", "/");
    mount_attr set{};
    set.attr_set = shown;
    if (::mount_setattr(AT_FDCWD, "/", 0, &set, sizeof set) != 0) return sys::last_error("mount_setattr", "/");
    return ok;
}

Result<> enter_prepared(const World& world, const std::string& bench) {
    // What is the command's own can only be copied from where it is.
    ASSAY_TRY(const sys::Fd proc, proc_tree());
    ASSAY_TRY(const sys::Fd work, work_tree(world, bench));
    ASSAY_TRY(const sys::Fd tmp, clone_tree(AT_FDCWD, world.scratch + "/tmp", safe));
    ASSAY_TRY(const sys::Fd vartmp, clone_tree(AT_FDCWD, world.scratch + "/vartmp", safe));
    ASSAY_TRY(const sys::Fd shm, clone_tree(AT_FDCWD, world.scratch + "/shm", safe));
    if (::setns(world.prepared, CLONE_NEWNS) != 0) return sys::last_error("setns", "prepared root");
    if (::unshare(CLONE_NEWNS) != 0) return sys::last_error("unshare", "prepared root");
    ASSAY_CHECK(attach(work.get(), "/work"));
    ASSAY_CHECK(attach(tmp.get(), "/tmp"));
    ASSAY_CHECK(attach(vartmp.get(), "/var/tmp"));
    ASSAY_CHECK(attach(shm.get(), "/dev/shm"));
    return attach(proc.get(), "/proc");
}

}  // namespace

Result<> show_entry(const std::string& from, const std::string& to) {
    ASSAY_TRY(const sys::FileInfo info, sys::info_of_path(from));
    if (info.kind == sys::FileInfo::Kind::symlink) {
        ASSAY_TRY(const std::string target, sys::link_target(from));
        if (::symlink(target.c_str(), to.c_str()) != 0) return sys::last_error("symlink", from);
    } else if (info.kind == sys::FileInfo::Kind::directory) {
        ASSAY_CHECK(make_dir(to));
        return bind(from, to, shown);
    }
    return ok;
}

Result<sys::Fd> clone_tree(int at, const std::string& path, std::uint64_t attributes) {
    const unsigned empty = path.empty() ? AT_EMPTY_PATH : 0;
    sys::Fd tree{::open_tree(at, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | empty)};
    if (!tree) return sys::last_error("open_tree", path.empty() ? "directory to bind" : path);
    mount_attr set{};
    set.attr_set = attributes;
    if (::mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &set, sizeof set) != 0)
        return sys::last_error("mount_setattr", path);
    return tree;
}

Result<> attach(int tree, const std::string& target) {
    if (::move_mount(tree, "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
        return sys::last_error("move_mount", target);
    return ok;
}

Result<> bind(const std::string& from, const std::string& to, std::uint64_t attributes) {
    ASSAY_TRY(const sys::Fd tree, clone_tree(AT_FDCWD, from, attributes));
    return attach(tree.get(), to);
}

Result<> mount_tmpfs(const std::string& path, std::int64_t bytes, std::int64_t inodes) {
    ASSAY_CHECK(make_dir(path, 0700));
    const std::string options = "size=" + std::to_string(bytes) + ",nr_inodes=" + std::to_string(inodes) + ",mode=0755";
    if (::mount("assay", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
        return sys::last_error("mount(tmpfs)", path);
    return ok;
}

Result<> make_scratch(const std::string& path, std::int64_t disk_bytes, std::uint32_t uid) {
    ASSAY_CHECK(mount_tmpfs(path, disk_bytes, model::inodes_of(disk_bytes) + scratch_inodes_own));
    return make_scratch_folders(path, uid);
}

Result<> make_scratch_folders(const std::string& path, std::uint32_t uid) {
    ASSAY_CHECK(make_dir(path + "/ovl", 0700));
    ASSAY_CHECK(make_dir(path + "/work"));
    for (const char* const name : {"/tmp", "/vartmp", "/shm"}) ASSAY_CHECK(make_dir(path + name, 01777));
    return sys::change_owner(path + "/work", uid, uid);
}

Result<> resize_scratch(const std::string& path, std::int64_t disk_bytes) {
    const std::string options = "size=" + std::to_string(disk_bytes) + ",nr_inodes=" + std::to_string(model::inodes_of(disk_bytes) + scratch_inodes_own);
    if (::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_NOSUID | MS_NODEV, options.c_str()) != 0) return sys::last_error("mount(resize)", path);
    return ok;
}

Result<> make_read_only(const std::string& path) {
    if (::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, nullptr) != 0) {
        return sys::last_error("mount(read-only)", path);
    }
    return ok;
}

void detach(const std::string& path) {
    (void)::umount2(path.c_str(), MNT_DETACH);
    (void)::rmdir(path.c_str());
}

void detach_together(const std::vector<std::string>& scratches) {
    if (scratches.empty()) return;
    const std::string below = scratches.front() + "/ovl";  // Nobody saw that, and nothing uses it any more.
    for (const std::string& path : std::span{scratches}.subspan(1)) {
        // Each comes to lie over the one before it.
        if (::move_mount(AT_FDCWD, path.c_str(), AT_FDCWD, below.c_str(), 0) == 0) (void)::rmdir(path.c_str());
        else detach(path);
    }
    detach(scratches.front());
}

Result<Room> room_of(const std::string& path) {
    struct statfs info{};
    if (::statfs(path.c_str(), &info) != 0) return sys::last_error("statfs", path);
    // From everybody: on disk, for what describes files. There a write is refused as a whole that needs more than is left at once.
    const auto held_back = info.f_bfree - info.f_bavail;
    const auto left_over = held_back == 0 ? 0 : std::clamp<fsblkcnt_t>(info.f_blocks / 64, 16, 512);
    return Room{.bytes = static_cast<std::int64_t>(info.f_blocks - held_back) * info.f_bsize,
                .full = info.f_bavail <= left_over || info.f_ffree == 0,
                .untouched = info.f_bfree == info.f_blocks && info.f_files - info.f_ffree <= scratch_inodes_own};
}

Result<sys::Fd> clone_path(int fd, bool writable, const sys::Fd& host_mounts, const sys::Fd& own_mounts) {
    // A mount can only be copied from within the namespace it is in.
    if (::setns(host_mounts.get(), CLONE_NEWNS) != 0) return sys::last_error("setns", "host mounts");
    Result<sys::Fd> tree = clone_tree(fd, "", writable ? safe : shown);
    if (::setns(own_mounts.get(), CLONE_NEWNS) != 0) return sys::last_error("setns", "own mounts");
    return tree;
}

Result<sys::Fd> open_image(const sys::Fd& data, const std::string& digest) {
    const Error missing{Fault::missing, "the image " + digest.substr(0, 12) + " is not there"};
    if (!data) return missing;
    Result<sys::Fd> root = sys::open_beneath(data, "images/" + digest + "/root", O_PATH | O_DIRECTORY);
    if (!root && root.error().fault() == Fault::missing) return missing;
    return root;
}

Result<> attach_tree(const sys::Fd& tree, const std::string& path) {
    ASSAY_CHECK(make_dir(path, 0700));
    return attach(tree.get(), path);
}

Result<> show_layers(const std::vector<std::string>& layers, const std::string& target, bool contained) {
    ASSAY_CHECK(make_dir(target));
    if (layers.size() == 1) return bind(layers.front(), target, exhibited);
    const std::string options = "lowerdir=" + joined(layers) + (contained ? ",userxattr" : ",redirect_dir=follow");
    const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW;
    if (::mount("overlay", target.c_str(), "overlay", flags, options.c_str()) != 0) return sys::last_error("mount(overlay)", target);
    return ok;
}

Result<sys::Fd> prepare_root(const std::string& image, const std::string& at, const sys::Fd& own_mounts) {
    if (::unshare(CLONE_NEWNS) != 0) return sys::last_error("unshare", "mounts");
    Result<sys::Fd> made = sys::open_read("/proc/self/ns/mnt");
    const auto build = [&]() -> Result<> {
        if (!made) return made.error();
        ASSAY_CHECK(build_root(image, at));
        ASSAY_CHECK(make_dir(at + "/work"));
        const sys::Fd root{::open(at.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
        Result<sys::Fd> place =
            sys::open_beneath(root, "var/tmp", O_PATH | O_DIRECTORY);  // Where every cell will mount.
        if (!place) return place.take_error().in("the image");
        return turn_to(at);
    };
    const Result<> built = build();
    if (::setns(own_mounts.get(), CLONE_NEWNS) != 0) return sys::last_error("setns", "own mounts");
    if (!built) return built.error();
    return made;
}

Result<> enter_world(const World& world, const std::string& bench) {
    if (world.prepared >= 0) return enter_prepared(world, bench);
    const std::string root = bench + "/root";
    ASSAY_CHECK(build_root(world.image, root));
    ASSAY_TRY(const sys::Fd proc, proc_tree());
    ASSAY_CHECK(attach(proc.get(), root + "/proc"));
    if (world.trusted) {
        ASSAY_CHECK(mount_trusted(world, root));
    } else {
        ASSAY_TRY(const sys::Fd work, work_tree(world, bench));
        ASSAY_CHECK(make_dir(root + "/work"));
        ASSAY_CHECK(attach(work.get(), root + "/work"));
    }
    ASSAY_CHECK(bind(world.scratch + "/tmp", root + "/tmp", safe));
    ASSAY_CHECK(bind_over(world.scratch + "/vartmp", root, "var/tmp", safe));
    ASSAY_CHECK(bind(world.scratch + "/shm", root + "/dev/shm", safe));
    if (world.network) {
        // The template is shown read-only, so the name servers come as a mount over a file of the template.
        ASSAY_CHECK(bind_over("/etc/resolv.conf", root, "etc/resolv.conf", shown));
    }
    for (const Mounted& mounted : world.binds) ASSAY_CHECK(bind_inside(root, mounted));
    return turn_to(root);
}

sys::Fd open_kept(const std::string& directory, const std::string& name, std::int64_t bytes_max) {
    const sys::Fd at{::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)};
    Result<sys::Fd> file = sys::open_beneath(at, name);
    if (!file) return {};
    Result<sys::FileInfo> info = sys::info_of(*file);
    if (!info || info->kind != sys::FileInfo::Kind::regular || info->size > bytes_max) return {};
    return std::move(file).value();
}

}  // namespace assay::sandbox
