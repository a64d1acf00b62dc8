#include "sandbox/program.hh"

// ASSAY_GUEST_PROGRAM: the file that the build made before this one.
asm(R"(
    .section .rodata.guest_program, "a"
    .balign 16
assay_guest_program:
    .incbin ")" ASSAY_GUEST_PROGRAM R"("
assay_guest_program_end:
    .previous
)");

extern "C" const std::byte assay_guest_program[];
extern "C" const std::byte assay_guest_program_end[];

namespace assay::sandbox {

ByteView guest_program() { return {assay_guest_program, assay_guest_program_end}; }

}  // namespace assay::sandbox
