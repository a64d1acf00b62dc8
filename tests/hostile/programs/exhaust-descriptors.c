#include "hostile.h"
int main(void) {
    begin();
    int count = 0;
    while (count < 1000000 && open("/dev/null", O_RDONLY) >= 0) count++;
    HOLDS(errno == EMFILE);
    HOLDS(count > 200 && count <= 253);
    REFUSED(fcntl(0, F_DUPFD, 256), EINVAL);
    struct rlimit more = {4096, 4096};
    REFUSED(setrlimit(RLIMIT_NOFILE, &more), EPERM);
    return held();
}
