// OwnPages: which pages of this process are in memory, so that what a loop really touches can be locked and nothing else: a limit of a
// few MiB is enough for that, where locking all of an address space needs a right that few hosts give.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::sys {

class OwnPages {
public:
    // Before rights are dropped: afterwards the kernel shows them to root alone. Errors: system (no /proc).
    static Result<OwnPages> open();

    // Forgets the pages of program files that were read so far and can be read back: they come when they are used.
    void forget_text() const;
    // Locks what is in memory now and writable or of a program file; what comes later is not locked. `but`: a mapping that is left
    // out. Returns the bytes locked. Errors: system, with how much was locked before a limit or a missing right ended it.
    Result<std::int64_t> lock_present(std::span<const std::byte> but) const;

private:
    explicit OwnPages(Fd map) : map_{std::move(map)} {}
    Fd map_;
};

struct Mapped {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    bool writable = false;
    bool of_file = false;  // a private mapping of a file
};
// The mappings in a text as /proc/PID/maps is (proc(5)) that a process reads or writes by itself; what is no such line is left out.
std::vector<Mapped> mappings(std::string_view maps);

}  // namespace assay::sys
