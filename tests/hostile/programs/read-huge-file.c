// Page cache of a file several times the limit is not the program's memory.
#include "hostile.h"
int main(int argc, char **argv) {
    begin();
    const int file = open(argv[argc - 1], O_RDONLY);
    HOLDS(file >= 0);
    static char block[256 << 10];
    long total = 0;
    ssize_t n;
    while ((n = read(file, block, sizeof block)) > 0) total += n;
    HOLDS(total >= 128L << 20);
    return held();
}
