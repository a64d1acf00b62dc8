// TreeWriter: makes files, directories and links below one directory and nowhere else, whatever the names say.
//
// No component of a path is ever followed through a symlink; nothing that exists is replaced or followed. It needs openat2,
// openat, mkdirat, symlinkat, newfstatat, fchmod, fchmodat, write and close, so that it can work under a narrow system-call filter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "base/text.hh"
#include "sys/fd.hh"

namespace assay::sys {

class TreeWriter {
public:
    // Below the current directory.
    static Result<TreeWriter> here();
    explicit TreeWriter(Fd root) : root_{std::move(root)} {}

    // Makes the directory (0755) and those above it; one that exists is fine. Errors: conflict (something else is there), denied.
    Result<> make_directory(const std::string& path);
    // A new file, mode 0644 or 0755, open for writing. Its directory must exist. Errors: conflict (the name exists), disk_full.
    Result<Fd> make_file(const std::string& path, bool executable);
    Result<> make_symlink(const std::string& path, const std::string& target);
    // A file made here earlier, for reading.
    Result<Fd> open_file(const std::string& path) const;

private:
    // Points parent_ at the directory that holds `path`; returns the last component.
    Result<std::string> enter_parent(const std::string& path);

    Fd root_;
    Fd parent_;               // the directory used last; most files lie beside the one before
    std::string parent_path_;
};

}  // namespace assay::sys
