// What the helper has ready for every root: an /etc and a /dev of our own, and the programs that are a part of this one.
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "model/image.hh"
#include "sandbox/mount.hh"
#include "sandbox/program.hh"
#include "sandbox/root.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

// What programs look for in /etc and what tells nothing about this machine's people.
constexpr const char* copied[] = {"ld.so.cache", "ld.so.conf", "timezone", "debian_version", "protocols", "services", "mime.types"};
constexpr const char* bound[] = {"alternatives", "ld.so.conf.d", "java-17-openjdk", "java-21-openjdk", "fonts", "perl", "python3"};
constexpr const char* devices[] = {"null", "zero", "full", "random", "urandom"};

struct Own {
    const char* name;
    const char* text;
};
constexpr Own written[] = {
    {"passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\nstudent:x:1000:1000:student:/work:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
    {"group", "root:x:0:\nstudent:x:1000:\nnogroup:x:65534:\n"},
    {"hosts", "127.0.0.1 localhost assay\n::1 localhost\n"},
    {"nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"},
    {"hostname", "assay\n"},
    {"resolv.conf", ""},
};
static_assert(std::ranges::equal(written, model::image_etc_files, {}, [](const Own& file) { return std::string_view{file.name}; }));

Result<> write_text(const std::string& path, std::string_view text) {
    const sys::Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644)};
    if (!file) return sys::last_error("open", path);
    return sys::write_all(file, text);
}

Result<> make_etc(const std::string& etc) {
    ASSAY_CHECK(make_dir(etc));
    for (const Own& file : written) ASSAY_CHECK(write_text(etc + "/" + file.name, file.text));
    constexpr std::size_t copy_bytes_max = 4 << 20;
    for (const char* const name : copied) {
        Result<std::string> text = sys::read_file(std::string{"/etc/"} + name, copy_bytes_max);
        if (text) ASSAY_CHECK(write_text(etc + "/" + name, *text));
    }
    for (const char* const name : bound) {
        const std::string from = std::string{"/etc/"} + name;
        const Result<sys::FileInfo> info = sys::info_of_path(from);
        if (info && info->kind == sys::FileInfo::Kind::directory) ASSAY_CHECK(show_entry(from, etc + "/" + name));
    }
    if (::access("/etc/ssl/certs", F_OK) == 0) {  // Not all of ssl: private keys live beside.
        ASSAY_CHECK(make_dir(etc + "/ssl"));
        ASSAY_CHECK(make_dir(etc + "/ssl/certs"));
        ASSAY_CHECK(bind("/etc/ssl/certs", etc + "/ssl/certs", shown));
    }
    const Result<std::string> zone = sys::link_target("/etc/localtime");
    if (zone && zone->starts_with("/usr/")) (void)::symlink(zone->c_str(), (etc + "/localtime").c_str());
    return ok;
}

Result<> make_dev(const std::string& dev) {
    ASSAY_CHECK(make_dir(dev));
    ASSAY_CHECK(make_dir(dev + "/shm"));
    for (const char* const name : devices) {
        const std::string from = std::string{"/dev/"} + name;
        struct stat info{};
        if (::lstat(from.c_str(), &info) != 0) return sys::last_error("lstat", from);
        if (!S_ISCHR(info.st_mode) || major(info.st_rdev) != 1) return Error{Fault::unsupported, from + " is not the device it should be"};
        const std::string to = dev + "/" + name;
        ASSAY_CHECK(write_text(to, ""));
        ASSAY_CHECK(bind(from, to, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
    }
    for (const auto& [name, target] : {std::pair{"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"}}) {
        if (::symlink(target, (dev + "/" + name).c_str()) != 0) return sys::last_error("symlink", name);
    }
    return ok;
}

}  // namespace

Result<> make_workbench() {
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        return sys::last_error("mount(private)", "/");
    // Devices must stay usable through the template, so this one is not nodev; nobody in a sandbox ever sees it.
    if (::mount("assay", workbench.c_str(), "tmpfs", MS_NOSUID, "size=16m,nr_inodes=4096,mode=0700") != 0)
        return sys::last_error("mount(tmpfs)", workbench);
    ASSAY_CHECK(make_etc(workbench + "/etc"));
    ASSAY_CHECK(make_dev(workbench + "/dev"));
    ASSAY_CHECK(write_text(own_program, text_of(guest_program())));
    if (::chmod(own_program.c_str(), 0555) != 0) return sys::last_error("chmod", own_program);
    ASSAY_CHECK(make_dir(workbench + "/root"));
    return make_dir(workbench + "/bench", 0700);
}

Result<sys::Fd> place_launcher() {
    const std::string path = workbench + "/launcher";
    sys::Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0100)};
    if (!file) return sys::last_error("open", path);
    ASSAY_CHECK(sys::write_all(file, text_of(launcher_program())));
    file = sys::Fd{::open(path.c_str(), O_PATH | O_CLOEXEC)};
    if (!file) return sys::last_error("open", path);
    return file;
}

Result<std::string> make_bench() {
    std::string bench = workbench + "/bench";
    ASSAY_CHECK(mount_tmpfs(bench, 1 << 20, 1024));
    ASSAY_CHECK(make_dir(bench + "/root"));
    return bench;
}

}  // namespace assay::sandbox
