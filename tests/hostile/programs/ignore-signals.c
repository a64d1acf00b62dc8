// Ignores and blocks every signal it can: `spin` or `sleep`.
#include "hostile.h"
int main(int argc, char **argv) {
    begin();
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (int i = 1; i < NSIG; i++) signal(i, SIG_IGN);
    if (argc > 1 && strcmp(argv[1], "spin") == 0) spin_for_ever();
    for (;;) pause();
}
