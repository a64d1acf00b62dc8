// Types into the terminal of who started it.
#include "hostile.h"
#include <asm/termbits.h>
int main(void) {
    begin();
    for (int i = 0; i < 3; i++) {
        REFUSED(ioctl(i, TIOCSTI, "x"), EPERM);
        REFUSED(syscall(SYS_ioctl, i, 0x7f0000000000UL | TIOCSTI, "x"), EPERM);
        REFUSED(ioctl(i, 0x541C, "\3"), EPERM);  // TIOCLINUX
        HOLDS(!isatty(i));
    }
    REFUSED(open("/dev/tty", O_RDWR), ENOENT, ENXIO);
    REFUSED(open("/dev/ptmx", O_RDWR), ENOENT);
    REFUSED(open("/dev/console", O_RDWR), ENOENT);
    return held();
}
