// A child keeps stdout and stderr open long after the main process is gone.
#include "hostile.h"
int main(void) {
    begin();
    HOLDS(1);
    held();
    if (fork() == 0) {
        setsid();
        for (;;) sleep(1000);
    }
    return 0;
}
