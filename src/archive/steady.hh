// Steady: files read as they were at one moment, or the reason why that cannot be had. Internal to archive.
//
// Nobody can write to a file while it is read where the system keeps writers out (Disk::guard). Where it does not, because somebody
// has it open for writing or it is another user's, three things must hold together:
//   two looks at it, before and after, are alike;
//   its last change lies some time back: one within the same tick of the clock leaves both looks alike, and a write stamps the file
//   before it copies its bytes;
//   read once more it is the same, since a program that writes to memory mapped from it stamps it now and then only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "archive/disk.hh"
#include "archive/folder.hh"

namespace assay::archive {

// What two looks at a file say was done to it, when `had` bytes were read in between, of which no more than one above
// before.size were asked for. nullopt: nothing. Pure.
std::optional<Trouble::Kind> change_between(const sys::FileInfo& before, const sys::FileInfo& after, std::int64_t had);

// Whether a write between `from_ns` and `to_ns` (file stamps) could leave a last change of `changed_ns` as it was. Pure.
bool may_hide(std::int64_t changed_ns, std::int64_t from_ns, std::int64_t to_ns);
// Between the stamp of a write and its last byte: a writer may wait for the disk in between. No less than the whole seconds, or two,
// with which some file systems stamp.
constexpr std::int64_t settled_after_ns = 2'000'000'000;

// Whether content says that a file is there to be run (a script's first line, ELF): where no mode does. Pure.
bool is_program(std::string_view content);

// Whether trying again may help. Pure.
bool may_pass(Trouble::Kind);

struct Steady {
    bool whole = false;  // `content` is all of it; else it was read to its end, and only how it begins was kept
    std::string_view content;  // until the next read
    std::int64_t size = 0;
    std::uint32_t checksum = 0;  // CRC-32
    bool executable = false;
    std::string sha256;  // where it is not whole, as is
    sys::Fd file;
};

class SteadyReader {
public:
    static constexpr std::int64_t head_bytes = 64 << 10;  // kept of what is not held whole

    // Both must outlive it.
    SteadyReader(Disk& disk, const sys::Fd& root, const Patience& patience)
        : disk_{disk}, root_{root}, patience_{patience} {}

    // A file of up to `whole_bytes_max` is held in memory. Nullopt: trouble() says why.
    std::optional<Steady> read(const std::string& path, std::int64_t whole_bytes_max, std::int64_t size_max);
    // Gives out what is not whole, piece by piece. False: it is no longer what it was; trouble() says so. Errors: those of `take`.
    Result<bool> stream(const std::string& path, const Steady&, const std::function<Result<>(ByteView)>& take);

    const Trouble& trouble() const { return trouble_; }

private:
    std::optional<Steady> attempt(const std::string& path, std::int64_t whole_bytes_max, std::int64_t size_max);
    // How many bytes were read, until there are none or one more than expected.
    Result<std::int64_t> read_whole(const sys::Fd&, std::int64_t expected);
    Result<bool> reads_the_same(const sys::Fd&, ByteView content);
    Result<std::int64_t> read_through(const sys::Fd&, std::int64_t expected,
                                      const std::function<Result<>(ByteView)>& take);
    std::nullopt_t refuse(Trouble::Kind, const std::string& path, std::string detail = {});

    Disk& disk_;
    const sys::Fd& root_;
    const Patience patience_;
    std::string buffer_, head_;
    Trouble trouble_;
};

}  // namespace assay::archive
