// Image: roots for sandboxes, made by others: imported once, flattened, named by what is in them, and never changed again.
//
//   images/DIGEST/root/        the tree, owned by the data directory's owner
//   images/DIGEST/image.json   what else is known of it
//   images/names/NAME          which one a name means
//   images/tmp-…/              an import under way, or what one left that was killed; counts for nothing
//
// An import reads hostile bytes. That happens in a process of its own (the role `importer`) that has given up every right but
// to fill one folder; who started it then looks at every file again, names the tree by what it saw, and makes it durable.
//
// Threading: a Library may be used from any thread; one object for each process.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::image {

// What an image had that a root of ours does not have.
struct Left {
    std::int64_t devices = 0;            // devices and fifos
    std::int64_t set_ids = 0;            // setuid or setgid bits
    std::int64_t attributes = 0;         // files with extended attributes or capabilities
    std::vector<std::string> replaced;   // places where we mount that were something else
    bool operator==(const Left&) const = default;
};

struct Info {
    std::string digest;                  // 64 hex digits
    std::int64_t bytes = 0;              // of all its files
    std::int64_t entries = 0;
    std::vector<std::string> environment;  // NAME=value: what its own configuration says
    Left left;
    bool operator==(const Info&) const = default;
};

struct Named {
    std::string name;                    // empty: no name means it any more
    std::string from;                    // the file or folder as it was given
    std::int64_t imported_ms = 0;        // since 1970 UTC
    Info info;
};

struct Progress {
    std::size_t layer = 0;               // 1-based; 0: still looking
    std::size_t layers = 0;
    std::int64_t entries = 0;
    std::int64_t bytes = 0;
};

class Library {
public:
    // `directory`: the data directory's `images`. It need not be there yet.
    explicit Library(std::string directory) : directory_{std::move(directory)} {}

    // By name, or by at least 12 digits of a digest that mean one. Errors: missing (with what there is), invalid.
    Result<Named> find(const std::string& name) const;
    // By name; then those that no name means.
    Result<std::vector<Named>> list() const;
    bool has(const std::string& digest) const;
    // Whether `program`, a path or a word to look for in the folders of `search` ("/usr/bin:/bin"), is there for a command in the
    // image. An image that cannot be looked into has everything.
    bool has_program(const std::string& digest, const std::string& program, std::string_view search) const;

    // Takes the name away, and what it means when no other name means it too. `used`: says who needs the digest, or nothing;
    // then it is refused. Takes hold(). Errors: missing, conflict (who needs it), busy.
    using Used = std::function<Result<std::string>(const std::string& digest)>;
    Result<> remove(const std::string& name, const Used& used);
    // Hold it from asking what a name means until what relies on it is committed: nothing is removed meanwhile.
    [[nodiscard]] std::unique_lock<std::mutex> hold() const { return std::unique_lock{relied_on_}; }
    // Removes what imports left that were killed. Errors: ours alone.
    Result<> sweep();

    const std::string& directory() const { return directory_; }

private:
    mutable std::mutex mutex_;           // between threads; between processes it is a lock file
    mutable std::mutex relied_on_;
    std::string directory_;
};

struct Source {
    std::string path;
    sys::Fd file;                        // opened with the rights of whoever asked
    bool folder = false;
};
Result<Source> open_source(const std::string& path);

struct Imported {
    Named image;
    bool fresh = false;                  // else its content was there already
};
// Imports `source` under `name`, which from then on means it. Blocks as long as it takes; a child that neither ends nor gets on
// is ended. `room_bytes`: how large it may become. As root this process becomes the owner of `directory` on the way: it must
// have been one that could open `source`, and has no rights afterwards. Errors: invalid (the image is wrong: how), unsupported
// (not for this machine), too_large (which limit), disk_full, conflict, busy.
Result<Imported> import_image(const std::string& directory, const std::string& name, Source source, std::int64_t room_bytes,
                              const std::function<void(const Progress&)>& told);
// The role's main: descriptors 3 = source, 4 = answer (stream socket), 5 = the folder to fill, 6 = an anonymous file.
int importer_main();

// The digest of the tree below `root` with this environment, from names, kinds, modes, link targets and content; and its size.
// Errors: invalid (something that no import makes).
Result<Info> info_of_tree(const sys::Fd& root, std::vector<std::string> environment);

}  // namespace assay::image
