#include "hostile.h"
#include <sys/sysmacros.h>
int main(void) {
    begin();
    REFUSED(mknod("disk", S_IFBLK | 0666, makedev(8, 0)), EPERM);
    REFUSED(mknod("memory", S_IFCHR | 0666, makedev(1, 1)), EPERM);
    REFUSED(mknod("/dev/shm/null", S_IFCHR | 0666, makedev(1, 3)), EPERM);
    HOLDS(mknod("fifo", S_IFIFO | 0600, 0) == 0);
    const char *const names[] = {"mem", "kmem", "port", "kmsg", "sda", "vda", "nvme0n1", "loop0", "loop-control", "fuse", "kvm", "tty", "tty0", "console",
                                 "ptmx", "vhost-net", "net/tun", "dri/card0", "input/event0", "hpet", "rtc0", "watchdog", "userfaultfd", "cpu/0/msr"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        snprintf(path, sizeof path, "/dev/%s", names[i]);
        REFUSED(open(path, O_RDWR | O_NONBLOCK), ENOENT, ENOTDIR);
    }
    REFUSED(open("/dev/new", O_CREAT | O_RDWR, 0600), EROFS, EACCES);
    return held();
}
