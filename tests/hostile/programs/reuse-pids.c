// Goes through process numbers as fast as it can while the supervisor watches, and ends in the midst of it.
#include "hostile.h"
int main(void) {
    begin();
    for (int i = 0; i < 3000; i++) {
        const pid_t child = vfork();
        if (child == 0) _exit(0);
        if (child > 0) waitpid(child, NULL, 0);
    }
    HOLDS(1);
    held();
    if (fork() == 0) for (;;) if (vfork() == 0) _exit(0);
    return 0;
}
