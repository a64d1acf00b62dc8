// Prints without end: on `1`, `2`, or both.
#include "hostile.h"
int main(int argc, char **argv) {
    begin();
    static char block[64 << 10];
    memset(block, 'x', sizeof block);
    for (;;) {
        if (argc < 2 || argv[1][0] != '2') (void)!write(1, block, sizeof block);
        if (argc < 2 || argv[1][0] != '1') (void)!write(2, block, sizeof block);
    }
}
