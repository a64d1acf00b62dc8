// Fills all that is writable to the last byte. Ends with 1 as if it had needed more, or with 0.
#include "hostile.h"
int main(int argc, char **argv) {
    begin();
    const char *const places[] = {"/work/a", "/tmp/a", "/var/tmp/a", "/dev/shm/a"};
    static char block[64 << 10];
    long total = 0;
    for (int i = 0; i < 4; i++) {
        const int file = open(places[i], O_CREAT | O_WRONLY, 0600);
        if (file < 0) continue;  // No inode left to hold it.
        ssize_t n;
        while ((n = write(file, block, sizeof block)) > 0) total += n;
        HOLDS(errno == ENOSPC);
    }
    HOLDS(total >= 4 << 20 && total <= 16 << 20);
    held();
    return argc > 1;
}
