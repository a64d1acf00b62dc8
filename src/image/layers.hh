// Layers: members of tars applied to a tree, one layer over the other. Internal to image.
//
// A member is never resolved through a link: its folders are the tree's own, or it is refused. What it must not bring along is
// left out and counted. Memory: the names of one layer (layer_names_bytes_max) while whiteouts may come.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "archive/member.hh"
#include "base/result.hh"
#include "image/image.hh"
#include "sys/root_tree.hh"

namespace assay::image {

// "./etc//passwd" and "/etc/passwd" -> "etc/passwd"; "" is the root itself. Errors: invalid (climbs out), too_large.
Result<std::string> entry_path(std::string_view raw);

class Layers {
public:
    // `tree`: the empty folder to fill, open for reading; it grows to at most `room_bytes`. `told` after every entry and every few MiB; may be called often.
    Layers(const sys::Fd& tree, std::int64_t room_bytes, std::function<void(const Progress&)> told);

    // The next layer. `whiteouts`: names that begin with ".wh." take away what lower layers have. Errors: invalid, denied (a
    // link on the way), too_large (which limit), disk_full.
    Result<> apply(archive::MemberReader&, bool whiteouts);
    // After the last: makes sure of the places where a sandbox mounts its own.
    Result<Left> finish();
    void set_layers(std::size_t layers) { progress_.layers = layers; }
    // Of the room there is: for what lies beside the tree meanwhile. Errors: too_large.
    Result<> use(std::int64_t bytes);

private:
    Result<> add(archive::MemberReader&, const archive::Member&, const std::string& path);
    Result<> white_out(const std::string& folder, std::string_view name);
    Result<> copy(archive::MemberReader&, const archive::Member&, const sys::Fd& file);
    Result<> note(const std::string& path);
    Result<> written(std::int64_t bytes);

    const sys::Fd& root_;
    sys::RootTree tree_;
    std::int64_t room_bytes_;
    std::int64_t used_bytes_ = 0;
    std::function<void(const Progress&)> told_;
    Progress progress_;
    Left left_;
    std::int64_t unsynced_bytes_ = 0;
    std::unordered_set<std::string> names_;  // made by this layer
    std::size_t names_bytes_ = 0;
};

}  // namespace assay::image
