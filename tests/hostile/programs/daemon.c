// A daemon by the book, in a session of its own, outlives its parents, which end with 0 at once.
#include "hostile.h"
int main(void) {
    begin();
    if (fork() == 0) {
        setsid();
        signal(SIGHUP, SIG_IGN);
        if (fork() != 0) _exit(0);
        for (int i = 0; i < 3; i++) close(i);
        for (;;) sleep(1000);
    }
    HOLDS(1);
    return held();
}
