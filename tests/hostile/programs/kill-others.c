// Signals to the parent, to init and to everybody reach nobody outside.
#include "hostile.h"
int main(void) {
    begin();
    HOLDS(getppid() == 0);
    REFUSED(kill(1, SIGKILL), EPERM);
    REFUSED(kill(1, SIGSTOP), EPERM);
    REFUSED(kill(-1, SIGKILL), EPERM, ESRCH);
    for (pid_t other = 2; other < 5000; other++) {
        if (other != getpid() && kill(other, SIGKILL) == 0) { printf("NOT HELD: killed %d\n", other); broken++; }
    }
    signal(SIGTERM, SIG_IGN);
    HOLDS(kill(0, SIGTERM) == 0);
    return held();
}
