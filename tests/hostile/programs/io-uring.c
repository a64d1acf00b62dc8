#include "hostile.h"
int main(void) {
    begin();
    char parameters[256] = {0};
    REFUSED(syscall(425, 8, parameters), ENOSYS);
    REFUSED(syscall(426, 0, 1, 0, 0, NULL, 0), ENOSYS);
    REFUSED(syscall(427, 0, 0, NULL, 0), ENOSYS);
    return held();
}
