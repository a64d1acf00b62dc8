// Everyone's disks at once.
#include "hostile.h"
int main(void) {
    begin();
    const int file = open("f", O_CREAT | O_RDWR, 0600);
    HOLDS(write(file, "x", 1) == 1 && fsync(file) == 0 && fdatasync(file) == 0);
    REFUSED(syscall(SYS_sync), EPERM);
    REFUSED(syncfs(file), EPERM);
    return held();
}
