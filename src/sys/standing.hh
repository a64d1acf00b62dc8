// Standing: how a process stands when the machine is short of memory and processors: locked, urgent, last to be killed. Each is
// asked for and may be refused; none is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::sys {

// What the process has in memory stays there, and what it touches later of what is mapped now as well (MCL_ONFAULT).
Result<> lock_present_memory();
// Forgets which pages of program text have been read so far: they come back when they are used. Before lock_present_memory(),
// so that what only the start needed is not locked.
void forget_program_text();
// Before all others on a processor (SCHED_RR, lowest priority of its class); else a nice level of -15.
Result<> be_urgent();
// As root: that memory may be locked later on, when it is root no more.
Result<> allow_locking();
Result<> be_killed_last();  // oom_score_adj -1000

// A file in memory for the process and others: bytes of a mapping, shared. Unmapped on destruction.
class Mapping {
public:
    Mapping() = default;
    // The first `size` bytes of `file`, which has as many; all pages are there at once.
    static Result<Mapping> of_file(const Fd& file, std::size_t size, bool writable);
    static Result<Mapping> of_memory(std::size_t size);  // of nobody else
    Mapping(Mapping&& other) noexcept : bytes_{std::exchange(other.bytes_, {})} {}
    Mapping& operator=(Mapping&& other) noexcept {
        Mapping incoming{std::move(other)};
        std::swap(bytes_, incoming.bytes_);
        return *this;
    }
    ~Mapping();
    std::span<std::byte> bytes() const { return bytes_; }
    // Locks a part, whole pages, and gives up a lock. May wait for a disk where pages were swapped out.
    void hold(std::size_t offset, std::size_t size) const;
    void let_go(std::size_t offset, std::size_t size) const;

private:
    explicit Mapping(std::span<std::byte> bytes) : bytes_{bytes} {}
    std::span<std::byte> bytes_;
};

// A file of exactly `size` bytes with blocks of its own, read and write; what it held stays. `own_only`: made with mode 0600 and
// refused (denied) when it is a link or another user's. `direct`: past the page cache where the file system can.
struct RingFile {
    Fd file;
    bool fresh = false;  // it was not there, or had another size: it is all zeros
};
Result<RingFile> open_ring_file(const char* path, std::int64_t size, bool direct);
// A symbolic link in place of whatever link or file is there.
Result<> point_link(const char* path, const char* target);
bool on_memory_file_system(const char* directory);

}  // namespace assay::sys
