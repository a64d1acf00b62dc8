// What goes wrong with files while they are packed, put in at the layer through which all is read and written, on every system alike: a
// pack is byte for byte what it would have been, or is refused by the file's name or the disk's trouble, and then is not there.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>

#include "archive/disk.hh"
#include "archive/folder.hh"
#include "sys/draft.hh"
#include "sys/random.hh"

namespace assay::archive {
namespace {

namespace fs = std::filesystem;

struct All final : Picker {
    Result<bool> goes(const std::string&, const sys::FileInfo&) override { return true; }
};

// Does one thing to one file, so often.
class FaultyDisk final : public Disk {
public:
    enum class What { nothing, short_reads, error_after, shrinks, grows, changes, locked, refused, disk_full };

    FaultyDisk(What what, std::int64_t after, int times) : what_{what}, after_{after}, left_{times} {}

    Result<sys::Fd> open(const sys::Fd& root, const std::string& path) override {
        of_it_ = path == "b/victim";
        if (happens(What::locked)) return Error{Fault::busy, "open(b/victim): somebody keeps it"};
        if (happens(What::refused)) return Error{Fault::denied, "open(b/victim): not for you"};
        return Disk::open(root, path);
    }
    Result<sys::FileInfo> info(const sys::Fd& file) override {
        auto info = Disk::info(file);
        if (!info || !of_it_) return info;
        looked_ = !looked_;
        // The second look of a reading finds another file than the first.
        if (looked_) return info;
        if (happens(What::shrinks)) --info->size;
        else if (happens(What::grows)) ++info->size;
        else if (happens(What::changes)) ++info->changed_ns;
        return info;
    }
    Result<std::size_t> read(const sys::Fd& file, std::span<std::byte> buffer, std::int64_t offset) override {
        if (of_it_ && what_ == What::short_reads) return Disk::read(file, buffer.first(std::min<std::size_t>(buffer.size(), 7)), offset);
        if (of_it_ && what_ == What::error_after && offset + std::ssize(buffer) > after_ && happens(What::error_after)) {
            looked_ = false;
            return Error{Fault::disk_failed, "read(b/victim): input/output error"};
        }
        return Disk::read(file, buffer, offset);
    }
    std::optional<sys::WriteGuard> guard(const sys::Fd&) override { return std::nullopt; }  // Nobody is kept out.
    std::int64_t stamp_ns() override { return std::numeric_limits<std::int64_t>::max(); }
    std::vector<sys::FileHolder> holders(const sys::Fd&, const std::string&) override { return {}; }
    void pause(sys::Duration) override {}
    Result<> write(const sys::Fd& out, ByteView bytes) override {
        written_ += std::ssize(bytes);
        if (what_ == What::disk_full && written_ > after_) return Error{Fault::disk_full, "write: no space"};
        return Disk::write(out, bytes);
    }

private:
    bool happens(What what) { return of_it_ && what_ == what && left_ > 0 && left_-- > 0; }

    const What what_;
    const std::int64_t after_;
    int left_;
    bool of_it_ = false, looked_ = false;
    std::int64_t written_ = 0;
};

class PackFaults : public ::testing::Test {
protected:
    using What = FaultyDisk::What;

    PackFaults() : folder_{fs::temp_directory_path() / ("assay-faults-" + sys::random_text(12, "abcdefghijklmnopqrstuvwxyz"))} {
        fs::create_directories(folder_ / "tree" / "b");
        for (const char* const name : {"a", "c"}) std::ofstream{folder_ / "tree" / name, std::ios::binary} << "of " << name;
        std::ofstream victim{folder_ / "tree" / "b" / "victim", std::ios::binary};
        for (int i = 0; i < 20'000; ++i) victim << i << '\n';
    }
    ~PackFaults() override { fs::remove_all(folder_); }

    // "": a pack was published; else what stopped it.
    std::string pack(Format format, FaultyDisk& disk) {
        const std::string target = (folder_ / "pack").string();
        fs::remove(target);
        All all;
        const auto entries = list_folder((folder_ / "tree").string(), all);
        if (!entries) return entries.error().text();
        auto draft = sys::Draft::make(target, 0600);
        if (!draft) return draft.error().text();
        auto packing = pack_folder((folder_ / "tree").string(), *entries, format, draft->file(), {.threads = 2, .patience = {.reads_max = 3}, .disk = &disk});
        if (!packing) return packing.error().text();
        if (packing->trouble) return std::string{to_string(packing->trouble->kind)} + " " + packing->trouble->path;
        const auto published = draft->publish();
        return published ? "" : published.error().text();
    }
    std::string made() const { return *sys::read_file((folder_ / "pack").string(), 1 << 20); }
    std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator{folder_}, fs::directory_iterator{})); }

    const fs::path folder_;
};

TEST_F(PackFaults, APackIsTrueOrRefusedByNameAndNeverHalf) {
    constexpr int always = 1'000'000;
    const struct {
        What what;
        std::int64_t after;
        int times;
        std::string stopped;
    } rows[] = {
        {What::short_reads, 0, always, ""},
        {What::error_after, 0, 2, ""},
        {What::error_after, 60'000, 2, ""},
        {What::error_after, 0, always, "unreadable b/victim"},
        {What::error_after, 60'000, always, "unreadable b/victim"},
        {What::shrinks, 0, 2, ""},
        {What::shrinks, 0, always, "shrank b/victim"},
        {What::grows, 0, always, "grew b/victim"},
        {What::changes, 0, 2, ""},
        {What::changes, 0, always, "rewritten b/victim"},
        {What::locked, 0, 2, ""},
        {What::locked, 0, always, "locked b/victim"},
        {What::refused, 0, 1, "denied b/victim"},
        {What::disk_full, 0, always, "write: no space"},
        {What::disk_full, 1000, always, "write: no space"},
    };
    for (const Format format : {Format::tar, Format::tar_gz, Format::zip}) {
        FaultyDisk sound{What::nothing, 0, 0};
        ASSERT_EQ(pack(format, sound), "");
        const std::string whole = made();
        for (const auto& [what, after, times, stopped] : rows) {
            SCOPED_TRACE(std::string{to_string(format)} + " " + std::to_string(static_cast<int>(what)) + " " + std::to_string(after) + " " + std::to_string(times));
            FaultyDisk disk{what, after, times};
            EXPECT_EQ(pack(format, disk), stopped);
            if (stopped.empty()) EXPECT_EQ(made(), whole);
            EXPECT_EQ(files(), stopped.empty() ? 2u : 1u);  // the tree, and the pack or nothing
        }
    }
}

}  // namespace
}  // namespace assay::archive
