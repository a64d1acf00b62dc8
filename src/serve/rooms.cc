#include "serve/rooms.hh"

#include "base/text.hh"
#include "store/rotation.hh"
#include "sys/disk.hh"
#include "sys/file.hh"
#include "sys/process.hh"

namespace assay::serve {
namespace {

// Every token in the database is hashed and sealed with one secret. With another one nobody would be known any more, and new
// tokens would hide that: so a lost key file stops us here.
Result<> check_secret(store::Store& store, const store::Keys& keys) {
    static const std::string name = "secret_fingerprint";
    const std::string fingerprint = to_hex(bytes_of(keys.hash("fingerprint", "assay")));
    return store.write_and_wait([&](store::Tx& tx) -> Result<> {
        ASSAY_TRY(const auto known, tx.setting(name));
        if (!known) return tx.put_setting(name, fingerprint);
        if (*known == fingerprint) return ok;
        return Error{Fault::invalid, "keys/secret.key is not the one that the database's tokens were made with; put the old file back from a backup"};
    }, store::Need::essential);
}

}  // namespace

Result<std::unique_ptr<Rooms>> open_rooms(const DataDirectory& directory, std::int64_t disk_reserve_bytes) {
    const std::int64_t now_ms = sys::to_ms(sys::system_clock().wall());
    ASSAY_TRY(store::Keys keys, store::Keys::open(directory.inside("keys"), now_ms));
    ASSAY_TRY(auto space, store::Space::open(sys::real_disk(), directory.path(), directory.inside("reserve"), disk_reserve_bytes));
    ASSAY_TRY(auto store, store::open_sqlite({.path = directory.inside("assay.db"), .space = space.get()}));
    ASSAY_CHECK(check_secret(*store, keys));
    ASSAY_CHECK(store::publish_keys(*store, keys, now_ms));
    const store::Space* const room = space.get();
    return std::unique_ptr<Rooms>{new Rooms{
        .space = std::move(space),
        .store = std::move(store),
        .blobs = store::Blobs{sys::real_disk(), directory.inside("blobs"), directory.inside("tmp"), room},
        .revisions = store::Blobs{sys::real_disk(), directory.inside("revisions"), directory.inside("tmp"), room},
        .keys = std::move(keys),
        .images = image::Library{directory.inside("images")},
    }};
}

course::Machine this_machine() {
    course::Machine machine{.memory_bytes = 0, .cpus = sys::online_cpus()};
    const auto info = sys::read_file("/proc/meminfo", 64 * 1024);
    if (!info) return machine;
    for (const std::string_view line : split(*info, '\n')) {
        if (!line.starts_with("MemTotal:")) continue;
        std::string_view number = trimmed(line.substr(9));
        number = number.substr(0, number.find(' '));
        if (const auto kib = parse_size(number)) machine.memory_bytes = *kib * 1024;
    }
    return machine;
}

}  // namespace assay::serve
