// assay image: roots for sandboxes. An import is done here, with the caller's rights to the source; the data directory's server
// need not know of it, since a name is a file there.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

#include "api/images.hh"
#include "base/text.hh"
#include "cli/act.hh"
#include "cli/commands.hh"
#include "image/image.hh"
#include "serve/data_directory.hh"
#include "sys/clock.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/terminal.hh"

namespace assay::cli {
namespace {

constexpr std::chrono::seconds told_every{2};
// What an import leaves free of the disk, unless the server keeps more for itself.
constexpr std::int64_t kept_free_bytes_min = 64LL << 20;
constexpr std::int64_t kept_free_bytes_max = 2LL << 30;
constexpr std::int64_t kept_free_share = 10;

std::int64_t room_for(const sys::DiskRoom& disk, std::int64_t reserve_bytes) {
    const std::int64_t usual = std::clamp(disk.size_bytes / kept_free_share, kept_free_bytes_min, kept_free_bytes_max);
    return std::max<std::int64_t>(disk.free_bytes - std::max(usual, reserve_bytes), 0);
}

// The place of the images, made when the data directory has none yet.
Result<std::string> images_of(const std::string& data) {
    ASSAY_TRY(const auto server, serve::server_of(data));
    if (!server) ASSAY_CHECK(serve::DataDirectory::open(data, "", serve::Opening::or_new));
    const std::string directory = data + "/images";
    ASSAY_TRY(const sys::FileInfo owner, sys::info_of_path(data));
    ASSAY_CHECK(sys::make_directory(directory));
    if (sys::effective_uid() == 0) ASSAY_CHECK(sys::change_owner(directory, owner.owner, owner.owner));
    return directory;
}

void say_left(const image::Left& left) {
    const auto say = [](std::int64_t count, const char* what) {
        if (count > 0) fmt::print(stderr, "assay: left out: {} {}\n", count, what);
    };
    say(left.devices, "devices, sockets or fifos");
    say(left.set_ids, "setuid or setgid bits");
    say(left.attributes, "files' extended attributes or capabilities");
    for (const std::string& path : left.replaced) fmt::print(stderr, "assay: /{} was something else; a sandbox has its own there\n", escaped(path));
}

}  // namespace

ExitCode image_import(const serve::Config& config, bool json, const std::string& name, const std::string& source) {
    sys::ignore_broken_pipes();
    auto opened = image::open_source(source);
    if (!opened) return fail(opened.error());
    const auto directory = images_of(config.data);
    if (!directory) return fail(directory.error());
    const auto disk = sys::room_of(*directory);
    if (!disk) return fail(disk.error());

    sys::TimePoint last = sys::system_clock().now();
    const auto told = [&](const image::Progress& progress) {
        const sys::TimePoint now = sys::system_clock().now();
        if (now - last < told_every) return;
        last = now;
        fmt::print(stderr, "assay: layer {} of {}, {} entries, {}\n", progress.layer, progress.layers, progress.entries, size_text(progress.bytes));
    };
    const auto done = image::import_image(*directory, name, std::move(opened).value(), room_for(*disk, config.disk_reserve_bytes), told);
    if (!done) return fail(Error{done.error()}.in(escaped(source)));
    const image::Info& info = done->image.info;
    if (json) {
        const image::Left& left = info.left;
        const nlohmann::ordered_json object{
            {"name", name}, {"digest", info.digest}, {"bytes", info.bytes}, {"entries", info.entries}, {"new", done->fresh}, {"environment", info.environment},
            {"left_out", {{"devices", left.devices}, {"set_ids", left.set_ids}, {"attributes", left.attributes}, {"replaced", left.replaced}}}};
        return print(object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    }
    say_left(info.left);
    return print(fmt::format("{}: {}, {} entries, {}{}", name, info.digest.substr(0, model::digest_digits_min), info.entries, size_text(info.bytes),
                             done->fresh ? "" : " (its content was there already)"));
}

ExitCode image_list(const StaffOptions& options) {
    auto listed = act(options.data, {"GET", "/admin/images", "", ""}, [](serve::Rooms& rooms) { return api::images_json(rooms.images, *rooms.store); });
    if (!listed || options.json) return print(std::move(listed));
    return print(api::images_text(*listed));
}

ExitCode image_remove(const StaffOptions& options, const std::string& name) {
    const Call call{"POST", fmt::format("/admin/images/{}/remove", segment(name)), "text/plain", ""};
    return print(act(options.data, call, [&](serve::Rooms& rooms) { return api::remove_image(rooms.images, *rooms.store, name); }));
}

}  // namespace assay::cli
