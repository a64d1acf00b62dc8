// Files that claim to be enormous.
#include "hostile.h"
int main(void) {
    begin();
    signal(SIGXFSZ, SIG_IGN);
    const int file = open("sparse", O_CREAT | O_RDWR, 0600);
    REFUSED(ftruncate(file, 1L << 60), EFBIG, EINVAL);
    REFUSED(ftruncate(file, 1L << 40), EFBIG);
    REFUSED(pwrite(file, "x", 1, 1L << 40), EFBIG);
    REFUSED(posix_fallocate(file, 0, 1L << 40) == 0 ? 0 : -1, 0);
    REFUSED(fallocate(file, 0, 0, 1L << 30), EFBIG, ENOSPC);
    HOLDS(ftruncate(file, 16 << 20) == 0);
    REFUSED(fallocate(file, 0, 0, 17 << 20), EFBIG, ENOSPC);
    struct stat info;
    HOLDS(fstat(file, &info) == 0 && info.st_blocks <= 33000);
    return held();
}
