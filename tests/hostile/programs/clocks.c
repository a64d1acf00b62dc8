#include "hostile.h"
#include <sys/timex.h>
int main(void) {
    begin();
    struct timespec when = {0, 0};
    struct timeval then = {0, 0};
    struct timex change = {.modes = ADJ_OFFSET};
    REFUSED(settimeofday(&then, NULL), EPERM);
    REFUSED(clock_settime(CLOCK_REALTIME, &when), EPERM);
    REFUSED(adjtimex(&change), EPERM);
    REFUSED(clock_adjtime(CLOCK_REALTIME, &change), EPERM);
    REFUSED(unshare(0x80), EPERM);
    HOLDS(prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0);  // Its own affair.
    return held();
}
