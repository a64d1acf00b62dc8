#include "sandbox/program.hh"

// The files that the build made before this one.
asm(R"(
    .section .rodata.programs, "a"
    .balign 16
assay_guest_program:
    .incbin ")" ASSAY_GUEST_PROGRAM R"("
assay_guest_program_end:
    .balign 16
assay_launcher:
    .incbin ")" ASSAY_LAUNCHER R"("
assay_launcher_end:
    .previous
)");

extern "C" const std::byte assay_guest_program[];
extern "C" const std::byte assay_guest_program_end[];
extern "C" const std::byte assay_launcher[];
extern "C" const std::byte assay_launcher_end[];

namespace assay::sandbox {

ByteView guest_program() { return {assay_guest_program, assay_guest_program_end}; }
ByteView launcher_program() { return {assay_launcher, assay_launcher_end}; }

}  // namespace assay::sandbox
