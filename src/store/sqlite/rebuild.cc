#include "store/sqlite/rebuild.hh"

#include "sys/file.hh"

namespace assay::store::sqlite {
namespace {

std::string copy_of(const std::string& path) { return path + ".copy"; }
std::string rebuilt_of(const std::string& path) { return path + ".rebuilt"; }

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

std::string read_text(const Row& row) { return row.text(0); }

Result<> check(const std::string& path) {
    ASSAY_TRY(Database copy, Database::open(path, Database::Access::read));
    ASSAY_TRY(const auto found, copy.all<std::string>("PRAGMA integrity_check(1)", {}, read_text));
    if (found.size() == 1 && found.front() == "ok") return ok;
    return Error{Fault::disk_failed, "integrity_check: " + (found.empty() ? "no answer" : found.front())};
}

Result<> write_copy(Database& from, const std::string& copy) {
    ASSAY_CHECK(sys::remove_file(copy));
    ASSAY_CHECK(from.change("VACUUM INTO ?", {std::string_view{copy}}));
    {
        ASSAY_TRY(const sys::Fd file, sys::open_read(copy));
        ASSAY_CHECK(sys::sync_all(file));
    }
    return check(copy);
}

}  // namespace

Result<> write_rebuilt(Database& from, const std::string& path) {
    const std::string copy = copy_of(path);
    if (auto written = write_copy(from, copy); !written) {
        (void)sys::remove_file(copy);  // A start removes it as well.
        return written;
    }
    ASSAY_CHECK(sys::rename_over(copy, rebuilt_of(path)));
    return sys::sync_directory(parent_of(path));
}

Result<> finish_rebuild(const std::string& path) {
    ASSAY_CHECK(sys::remove_file(copy_of(path)));
    if (const auto there = sys::info_of_path(rebuilt_of(path)); !there) {
        if (there.error().fault() == Fault::missing) return ok;
        return there.error();
    }
    ASSAY_CHECK(sys::remove_file(path + "-wal"));
    ASSAY_CHECK(sys::remove_file(path + "-shm"));
    ASSAY_CHECK(sys::sync_directory(parent_of(path)));
    ASSAY_CHECK(sys::rename_over(rebuilt_of(path), path));
    return sys::sync_directory(parent_of(path));
}

}  // namespace assay::store::sqlite
