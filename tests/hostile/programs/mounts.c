#include "hostile.h"
#include <sys/mount.h>
int main(void) {
    begin();
    REFUSED(mount("x", "/tmp", "tmpfs", 0, NULL), EPERM);
    REFUSED(mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL), EPERM);
    REFUSED(mount("/proc", "/tmp", NULL, MS_BIND, NULL), EPERM);
    REFUSED(umount2("/proc", MNT_DETACH), EPERM);
    REFUSED(umount2("/usr", 0), EPERM);
    REFUSED(syscall(SYS_pivot_root, ".", "."), EPERM);
    REFUSED(syscall(SYS_fsopen, "tmpfs", 0), EPERM);
    REFUSED(syscall(SYS_fspick, AT_FDCWD, "/", 0), EPERM);
    REFUSED(syscall(SYS_fsconfig, 0, 0, NULL, NULL, 0), EPERM);
    REFUSED(syscall(SYS_fsmount, 0, 0, 0), EPERM);
    REFUSED(syscall(SYS_open_tree, AT_FDCWD, "/", 1), EPERM);
    REFUSED(syscall(SYS_move_mount, AT_FDCWD, "/usr", AT_FDCWD, "/tmp", 0), EPERM);
    REFUSED(syscall(442, AT_FDCWD, "/usr", 0, NULL, 0), EPERM);  // mount_setattr
    REFUSED(syscall(SYS_swapon, "/tmp/x", 0), EPERM);
    REFUSED(syscall(SYS_quotactl, 0, "/", 0, NULL), EPERM);
    // Newer than the list of calls that the filter knows by name: not there.
    for (int number = 451; number < 600; number++) REFUSED(syscall(number, -1L, 0, 0, 0, 0, 0), ENOSYS);
    return held();
}
