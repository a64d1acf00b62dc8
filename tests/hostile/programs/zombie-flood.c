// Zombies that nobody reaps hold their places.
#include "hostile.h"
int main(void) {
    begin();
    int children = 0;
    for (; children < 100000; children++) {
        const pid_t child = fork();
        if (child == 0) _exit(0);
        if (child < 0) break;
    }
    HOLDS(children > 0 && children < 32);
    held();
    return 1;
}
