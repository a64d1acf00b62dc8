// Pipes of a megabyte each, all full.
#include "hostile.h"
int main(void) {
    begin();
    static char block[1 << 20];
    int pipes = 0, ends[2];
    for (; pipes < 100000 && pipe2(ends, O_NONBLOCK) == 0; pipes++) {
        (void)fcntl(ends[1], F_SETPIPE_SZ, sizeof block);
        (void)!write(ends[1], block, sizeof block);
    }
    HOLDS(errno == EMFILE || errno == ENFILE || errno == ENOMEM);
    HOLDS(pipes <= 128);
    return held();
}
