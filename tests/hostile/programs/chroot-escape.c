// The way out of a chroot: a second one while a descriptor of the first is open.
#include "hostile.h"
int main(void) {
    begin();
    mkdir("inner", 0700);
    const int outer = open(".", O_RDONLY | O_DIRECTORY);
    REFUSED(chroot("inner"), EPERM);
    REFUSED(fchdir(open("/proc/1/root", O_RDONLY)), EBADF);
    REFUSED(open("/proc/1/cwd", O_RDONLY), ENOENT, EACCES, EPERM);
    HOLDS(fchdir(outer) == 0);
    for (int i = 0; i < 64; i++) (void)!chdir("..");
    struct stat here, root;
    HOLDS(stat(".", &here) == 0 && stat("/", &root) == 0 && here.st_ino == root.st_ino && here.st_dev == root.st_dev);
    REFUSED(open("/../../../../../../etc/shadow", O_RDONLY), ENOENT);
    struct { uint64_t flags, mode, resolve; } how = {O_RDONLY, 0, 0};
    REFUSED(syscall(SYS_openat2, outer, "../../../etc/shadow", &how, sizeof how), ENOSYS);
    return held();
}
