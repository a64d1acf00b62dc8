#include "serve/data_directory.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/log.hh"
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

// What may be there before there is data: a first start makes the lock and then the id, and nothing else before that is durable,
// so one that was cut short has left no more; a new file system has its lost+found; and the clients may be laid there beforehand.
constexpr std::array<std::string_view, 4> before_data{"clients", "id.new", "lock", "lost+found"};

struct Identity {
    std::string id;
    std::string place;  // The directory it was made for, as place_of() has it; empty in files of earlier versions.
};

// A copy has the same `id` file as what it was copied from, and two servers of one id would end each other's sandboxes. So the
// file says as well which directory it is in. A directory that is moved within its file system keeps its number; where the
// number changes without a copy (a restored backup, a device that has another number after a reboot) a fresh id does no harm: it
// names only control groups and uids of what runs now, and of that nothing outlives its server by long or a reboot at all.
Result<std::string> place_of(const std::string& path) {
    ASSAY_TRY(const sys::FileInfo info, sys::info_of_path(path));
    return fmt::format("{} {}", info.device, info.inode);
}

// What is at `path`, with nothing changed: its id, or nullopt when it is missing or may become a data directory.
// Errors: invalid (no directory, or one of something else).
Result<std::optional<Identity>> identity_in(const std::string& path) {
    const auto there = sys::info_of_path(path);
    if (!there && there.error().fault() == Fault::missing) return std::optional<Identity>{};
    if (!there) return Error{there.error()};
    if (there->kind != sys::FileInfo::Kind::directory) {
        return Error{Fault::invalid, path + " is a file, not a directory; name a directory with --data"};
    }
    const std::string file = path + "/id";
    if (const auto id = sys::info_of_path(file); id && id->kind == sys::FileInfo::Kind::regular) {
        constexpr std::size_t size_max = 128;
        ASSAY_TRY(const std::string text, sys::read_file(file, size_max));
        const std::size_t end = std::min(text.find('\n'), text.size());
        Identity found{std::string{trimmed(std::string_view{text}.substr(0, end))}, std::string{trimmed(std::string_view{text}.substr(end))}};
        if (found.id.size() != id_bytes * 2 || !from_hex(found.id)) return Error{Fault::invalid, file + " is not a directory id (16 hex digits)"};
        return std::optional{std::move(found)};
    } else if (!id && id.error().fault() != Fault::missing) {
        return Error{id.error()};
    }
    ASSAY_TRY(const auto names, sys::list_directory(path));
    if (std::ranges::find(names, "assay.db") != names.end()) {
        return Error{Fault::invalid, fmt::format("{0} has an assay.db and no file `id`: bring that from where it came from as well, or make one with: "
                                                 "od -An -N8 -tx8 /dev/urandom | tr -d ' ' >{0}/id", path)};
    }
    if (std::ranges::any_of(names, [](const std::string& name) { return std::ranges::find(before_data, name) == before_data.end(); })) {
        return Error{Fault::invalid, path + " holds other files and no data of assay; name another directory with --data, or an empty one"};
    }
    return std::optional<Identity>{};
}

// The id that counts from now on, kept in the file. Only who serves looks whether it is a copy's: nobody else needs it.
Result<std::string> settled_id(const std::string& path, const std::optional<Identity>& there, Opening opening) {
    ASSAY_TRY(const std::string place, place_of(path));
    if (there && (opening != Opening::to_serve || there->place == place)) return there->id;
    const bool copied = there && !there->place.empty();
    const std::string id = there && !copied ? there->id : to_hex(bytes_of(sys::random_bytes(id_bytes)));
    const auto written = sys::write_file_durably(path + "/id", fmt::format("{}\n{}\n", id, place));
    // A server with data starts on a full disk as well; the next start that finds room writes it.
    if (!written && (!there || written.error().fault() != Fault::disk_full)) return Error{written.error()};
    if (copied) {
        log::info("directory.copied", {{"data", path}, {"id", id}, {"id_before", there->id},
                                       {"why", "its id was made for another directory: it is a copy, or was restored, and has an id of its own now"}});
    }
    return id;
}

// Absolute, without a slash at its end, and itself no symbolic link: what is changed is the directory.
Result<std::string> whole_path(const std::string& given) {
    std::filesystem::path whole = std::filesystem::absolute(given).lexically_normal();
    if (!whole.has_filename()) whole = whole.parent_path();
    if (const auto there = sys::info_of_path(whole.string()); there && there->kind == sys::FileInfo::Kind::symlink) {
        std::error_code failure;
        const auto target = std::filesystem::canonical(whole, failure);
        if (failure) return Error{Fault::invalid, fmt::format("{}: {}", whole.string(), failure.message())};
        whole = target;
    }
    return whole.string();
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const std::string& given, const std::string& user, Opening opening) {
    ASSAY_TRY(const std::string path, whole_path(given));
    const bool root = sys::effective_uid() == 0;
    if (!root && !user.empty()) return Error{Fault::denied, "--user needs root: only root can give the data to someone else"};

    // Before anything is made or changed: a mistyped name must cost nobody a directory.
    ASSAY_TRY(const auto before, identity_in(path));
    if (!before && opening == Opening::existing) {
        return Error{Fault::missing, fmt::format("there is no data of assay at {}; assay serve makes it, or name another with --data", path)};
    }
    if (const auto there = sys::info_of_path(path); !there && there.error().fault() == Fault::missing) {
        if (auto made = sys::make_directory(path); !made) return made.take_error().in("the data directory");
        // Whatever is made durable in it would be gone with its own name.
        ASSAY_CHECK(sys::sync_directory(std::filesystem::path{path}.parent_path().string()));
    }
    const std::string lock_path = path + "/lock";
    auto lock = sys::ProcessLock::take(lock_path);
    if (!lock) return lock.take_error().in(lock.error().fault() == Fault::conflict ? "the data directory is in use" : "lock the data directory");

    // Looked at again: whoever held the lock until now may have made it his.
    ASSAY_TRY(const auto there, identity_in(path));
    ASSAY_TRY(const sys::FileInfo info, sys::info_of_path(path));
    Owner owner{info.owner, info.owner};
    if (root && info.owner == 0) {
        ASSAY_TRY(owner, owner_for(user));
    } else if (!user.empty()) {
        ASSAY_TRY(const Owner named, owner_for(user));
        if (named.uid != owner.uid) {
            return Error{Fault::invalid, fmt::format("user: {} is uid {}'s and not {}'s; leave `user` out, or give all of it away: chown -R {} {}", path, owner.uid, user, user, path)};
        }
    }
    if (root) ASSAY_CHECK(check_parents(path, owner));
    if (root && info.owner == 0) ASSAY_CHECK(sys::change_owner(path, owner.uid, owner.gid));
    if (root || info.owner == sys::effective_uid()) ASSAY_CHECK(sys::change_mode(path, 0700));
    ASSAY_TRY(std::string id, settled_id(path, there, opening));
    if (root) {
        for (const std::string& made : {lock_path, path + "/id"}) ASSAY_CHECK(sys::change_owner(made, owner.uid, owner.gid));
    }
    return DataDirectory{path, std::move(id), owner.uid, owner.gid, std::move(lock).value()};
}

bool holds_data(const std::string& path) {
    const auto whole = whole_path(path);
    if (!whole) return false;
    const auto there = identity_in(*whole);
    return there && *there;
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
    if (!holds_data(path)) return std::optional<int>{};  // Whoever holds a file `lock` there is no server of ours.
    return sys::lock_holder(path + "/lock");
}

}  // namespace assay::serve
