#include "serve/data_directory.hh"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::serve {
namespace {

// systemd's range for dynamic users: no package and no person is given one of these.
constexpr std::uint32_t free_uid_first = 61184;
constexpr std::uint32_t free_uid_last = 65519;
constexpr std::uint32_t nobody_uid = 65534;
static_assert(nobody_uid > free_uid_last);
constexpr std::size_t id_bytes = 8;

struct Owner {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

Result<Owner> owner_for(const std::string& user) {
    if (!user.empty()) {
        ASSAY_TRY(const sys::User found, sys::find_user(user));
        if (found.uid == 0 || found.uid == nobody_uid) {
            return Error{Fault::invalid, fmt::format("user: '{}' cannot own the data; name an ordinary system user", user)};
        }
        return Owner{found.uid, found.gid};
    }
    if (const auto assay = sys::find_user("assay")) return Owner{assay->uid, assay->gid};
    constexpr int tries_max = 1000;
    for (int i = 0; i < tries_max; ++i) {
        const std::string raw = sys::random_bytes(2);
        const auto number = static_cast<std::uint32_t>(static_cast<unsigned char>(raw[0])) << 8 | static_cast<unsigned char>(raw[1]);
        const std::uint32_t uid = free_uid_first + number % (free_uid_last - free_uid_first + 1);
        if (!sys::name_of_uid(uid)) return Owner{uid, uid};
    }
    return Error{Fault::unsupported, "no free uid was found in 61184-65519; name one with --user"};
}

// Whether `owner` can enter every directory above: checked by mode bits, so that the error can name the one that is closed.
Result<> check_parents(const std::string& path, const Owner& owner) {
    for (auto at = std::filesystem::path{path}.parent_path(); !at.empty(); at = at.parent_path()) {
        ASSAY_TRY(const sys::FileInfo info, sys::info_of_path(at.string()));
        const bool enter = (info.mode & 0001) != 0 || (info.owner == owner.uid && (info.mode & 0100) != 0);
        if (!enter && info.kind == sys::FileInfo::Kind::directory) {
            return Error{Fault::denied, fmt::format("uid {}, who owns the data, cannot enter {} (mode {:04o}); choose another place with --data, "
                                                    "or allow it with: chmod o+x {}", owner.uid, at.string(), info.mode, at.string())};
        }
        if (at == at.root_path()) break;
    }
    return ok;
}

Result<std::string> read_or_make_id(const std::string& path, const Owner& owner) {
    if (auto there = sys::read_file(path, 64)) {
        const std::string id{trimmed(*there)};
        if (id.size() != id_bytes * 2 || !from_hex(id)) return Error{Fault::invalid, path + " is not a directory id (16 hex digits)"};
        return id;
    } else if (there.error().fault() != Fault::missing) {
        return there.take_error();
    }
    const std::string id = to_hex(bytes_of(sys::random_bytes(id_bytes)));
    ASSAY_CHECK(sys::write_file_durably(path, id + "\n"));
    if (sys::effective_uid() == 0) ASSAY_CHECK(sys::change_owner(path, owner.uid, owner.gid));
    return id;
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const std::string& given, const std::string& user) {
    std::filesystem::path whole = std::filesystem::absolute(given).lexically_normal();
    if (!whole.has_filename()) whole = whole.parent_path();  // It was given with a slash at its end.
    const std::string path = whole.string();
    const bool root = sys::effective_uid() == 0;
    if (!root && !user.empty()) return Error{Fault::denied, "--user needs root: only root can give the data to someone else"};

    if (const auto there = sys::info_of_path(path); !there && there.error().fault() == Fault::missing) {
        if (auto made = sys::make_directory(path); !made) return made.take_error().in("the data directory");
        // Whatever is made durable in it would be gone with its own name.
        ASSAY_CHECK(sys::sync_directory(whole.parent_path().string()));
    }
    ASSAY_TRY(const sys::FileInfo info, sys::info_of_path(path));
    Owner owner{info.owner, info.owner};
    if (root && info.owner == 0) {
        ASSAY_TRY(owner, owner_for(user));
        ASSAY_CHECK(check_parents(path, owner));
        ASSAY_CHECK(sys::change_owner(path, owner.uid, owner.gid));
    } else if (root) {
        ASSAY_CHECK(check_parents(path, owner));
    }
    if (root || info.owner == sys::effective_uid()) ASSAY_CHECK(sys::change_mode(path, 0700));

    const std::string lock_path = path + "/lock";
    auto lock = sys::ProcessLock::take(lock_path);
    if (!lock) return lock.take_error().in("the data directory is in use");
    if (root) ASSAY_CHECK(sys::change_owner(lock_path, owner.uid, owner.gid));
    ASSAY_TRY(std::string id, read_or_make_id(path + "/id", owner));
    return DataDirectory{path, std::move(id), owner.uid, owner.gid, std::move(lock).value()};
}

Result<> DataDirectory::enter() {
    if (sys::effective_uid() == 0) ASSAY_CHECK(sys::become(uid_, gid_));
    sys::keep_files_private();
    for (const char* const name : {"blobs", "uploads", "tmp", "recorder", "images", "revisions", "keys"}) {
        ASSAY_CHECK(sys::make_directory(inside(name)));
    }
    return ok;
}

Result<std::optional<int>> server_of(const std::string& path) {
    auto holder = sys::lock_holder(path + "/lock");
    if (!holder && holder.error().fault() == Fault::missing) return std::optional<int>{};
    return holder;
}

}  // namespace assay::serve
