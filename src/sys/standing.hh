// Standing: how a process stands when the machine is short of memory and processors: urgent, last to be killed, allowed to lock. Each is
// asked for and may be refused; none is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::sys {

// Before all others on a processor (SCHED_RR, lowest priority of its class); else a nice level of -15.
Result<> be_urgent();
// As root: that memory may be locked later on, when it is root no more.
Result<> allow_locking();
// Whether so much may be locked, by right or by limit. Errors: denied, with the limit.
Result<> may_lock(std::int64_t bytes);
// Like become(), but the one right to lock memory beyond the limit is kept, where root has it. It can do no harm but use memory.
Result<> become_and_lock(std::uint32_t uid, std::uint32_t gid);
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
// Says to sys::lock_holder() that this process uses the file, while it keeps this descriptor and opens no other of it; that it was just
// used. Without words, for who must not wait.
bool hold_quietly(const Fd&);
void touch_quietly(const Fd&);
Result<RingFile> open_ring_file(const char* path, std::int64_t size, bool direct);
// A symbolic link in place of whatever link or file is there.
Result<> point_link(const char* path, const char* target);
bool on_memory_file_system(const char* directory);

}  // namespace assay::sys
