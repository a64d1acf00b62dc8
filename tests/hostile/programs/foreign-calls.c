// System calls by another numbering, past a filter that looks at numbers alone: `x32` or `i386`.
#include "hostile.h"
int main(int argc, char **argv) {
    begin();
    if (argc > 1 && strcmp(argv[1], "x32") == 0) {
        printf("answered %ld\n", syscall(0x40000000 + SYS_getpid));
    } else {
        long result = 20;  // getpid
        __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
        printf("answered %ld\n", result);
    }
    return 3;
}
