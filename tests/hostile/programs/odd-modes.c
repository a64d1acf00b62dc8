// Leaves what is hard to clear away: without rights, with attributes, busy.
#include "hostile.h"
#include <linux/fs.h>
int main(void) {
    begin();
    HOLDS(mkdir("locked", 0700) == 0);
    const int file = open("locked/file", O_CREAT | O_RDWR, 0);
    HOLDS(file >= 0);
    int flags = FS_IMMUTABLE_FL;
    REFUSED(ioctl(file, FS_IOC_SETFLAGS, &flags), EPERM, ENOTTY, EOPNOTSUPP);
    REFUSED(chown("locked", 0, 0), EPERM, EINVAL);
    HOLDS(chdir("locked") == 0);
    HOLDS(chmod("/work/locked", 0) == 0);
    (void)chmod("/work", 0);
    (void)chmod("/tmp", 0);
    return held();
}
