// Reads the whole image again and again, four at once, past the page cache or out of it in every way there is.
#include "hostile.h"
#include <ftw.h>
#include <sys/uio.h>
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif
static unsigned share;
static int look(const char *path, const struct stat *info, int kind, struct FTW *where) {
    (void)where;
    static char block[1 << 20] __attribute__((aligned(4096)));
    struct iovec whole = {.iov_base = block, .iov_len = sizeof block};
    if (kind != FTW_F || info->st_size < 4096 || info->st_ino % 4 != share) return 0;
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_DIRECT);
    if (file < 0) file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) return 0;
    (void)fcntl(file, F_SETFL, O_DIRECT);
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    (void)readahead(file, 0, (size_t)info->st_size);
    while (preadv2(file, &whole, 1, -1, RWF_DONTCACHE) > 0) {}
    while (read(file, block, sizeof block) > 0) {}
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
    return 0;
}
int main(void) {
    begin();
    share = (fork() == 0 ? 1U : 0U) + (fork() == 0 ? 2U : 0U);
    for (;;) nftw("/usr/lib", look, 16, FTW_PHYS);
}
