// One empty file after the other, until there is no inode left.
#include "hostile.h"
int main(void) {
    begin();
    char name[32];
    long count = 0;
    for (; count < 10000000; count++) {
        snprintf(name, sizeof name, "f%ld", count);
        const int file = open(name, O_CREAT | O_WRONLY, 0600);
        if (file < 0) break;
        close(file);
    }
    HOLDS(errno == ENOSPC);
    HOLDS(count >= 1000 && count <= 4200);
    return held();
}
