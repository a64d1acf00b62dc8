// The canonical form of a tree: one record per entry in the order of a walk, names ending in a zero byte, which none contains.
#include <array>
#include <memory>

#include <fmt/format.h>

#include "image/image.hh"
#include "image/limits.hh"
#include "sys/file.hh"
#include "sys/root_tree.hh"
#include "sys/sha256.hh"

namespace assay::image {
namespace {

constexpr std::size_t step_bytes = 256 * 1024;

Result<std::string> digest_of(const sys::Fd& file, std::int64_t size) {
    const auto buffer = std::make_unique<std::array<std::byte, step_bytes>>();
    sys::Sha256 sum;
    for (std::int64_t have = 0;;) {
        ASSAY_TRY(const std::size_t count, sys::read_some(file, *buffer));
        if (count == 0 && have == size) return std::move(sum).hex();
        if (count == 0) return Error{Fault::conflict, "a file changed while it was read"};
        sum.add(ByteView{*buffer}.first(count));
        have += static_cast<std::int64_t>(count);
    }
}

}  // namespace

Result<Info> info_of_tree(const sys::Fd& root, std::vector<std::string> environment) {
    Info info;
    sys::Sha256 sum;
    const auto add = [&](std::string_view text) { sum.add(bytes_of(text)); };
    const std::string_view end{"\0", 1};
    add("assay-image/1\n");
    for (const std::string& variable : environment) {
        add("v ");
        add(variable);
        add(end);
    }
    ASSAY_CHECK(sys::walk_tree(root, path_depth_max, [&](sys::Walked& entry) -> Result<> {
        ++info.entries;
        const auto named = [&](const std::string& head) {
            add(head);
            add(entry.path);
            add(end);
        };
        if ((entry.mode & 07000) != 0) return Error{Fault::invalid, escaped(entry.path) + " has bits of a mode that no import gives"};
        switch (entry.kind) {
            case sys::RootTree::Kind::directory: named(fmt::format("d {:04o} ", entry.mode)); return ok;
            case sys::RootTree::Kind::symlink:
                named("l ");
                add(entry.target);
                add(end);
                return ok;
            case sys::RootTree::Kind::regular: {
                ASSAY_TRY(const std::string digest, digest_of(entry.file, entry.size));
                named(fmt::format("f {:04o} {} {} ", entry.mode, entry.size, digest));
                info.bytes += entry.size;
                return ok;
            }
            case sys::RootTree::Kind::other: case sys::RootTree::Kind::nothing: break;
        }
        return Error{Fault::invalid, escaped(entry.path) + " is of a kind that no import makes"};
    }));
    info.environment = std::move(environment);
    info.digest = std::move(sum).hex();
    return info;
}

}  // namespace assay::image
