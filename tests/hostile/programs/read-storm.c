// Reads the whole image again and again, and throws it out of the cache where that is allowed.
#include "hostile.h"
#include <ftw.h>
static int look(const char *path, const struct stat *info, int kind, struct FTW *where) {
    (void)where;
    static char block[1 << 20];
    if (kind != FTW_F || info->st_size < 4096) return 0;
    const int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) return 0;
    while (read(file, block, sizeof block) > 0) {}
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
    return 0;
}
int main(void) {
    begin();
    for (;;) nftw("/usr/lib", look, 16, FTW_PHYS);
}
