// A dump may land where it should not, or start a program of the host's. One byte is the size at which the kernel does neither.
#include "hostile.h"
int main(void) {
    begin();
    struct rlimit core;
    HOLDS(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 1 && core.rlim_max == 1);
    core.rlim_cur = core.rlim_max = 0;  // At 0 a handler would be started. Pretended, so that it stays 1.
    (void)setrlimit(RLIMIT_CORE, &core);
    (void)prlimit(0, RLIMIT_CORE, &core, NULL);
    HOLDS(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 1 && core.rlim_max == 1);
    prctl(PR_SET_DUMPABLE, 1);
    held();
    if (fork() == 0) abort();
    wait(NULL);
    abort();
}
