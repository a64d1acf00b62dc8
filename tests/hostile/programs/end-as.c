// Ends in odd ways; the true one must be told. `256` is 0 to every parent.
#include "hostile.h"
int main(int argc, char **argv) {
    begin();
    const char *how = argc > 1 ? argv[1] : "";
    if (strcmp(how, "256") == 0) { HOLDS(1); held(); syscall(SYS_exit_group, 256); }
    if (strcmp(how, "child-works") == 0) { if (fork() == 0) { spin_for_ever(); } HOLDS(1); held(); _exit(0); }
    if (strcmp(how, "33") == 0) syscall(SYS_tgkill, getpid(), gettid(), 33);
    if (strcmp(how, "abort") == 0) abort();
    if (strcmp(how, "term") == 0) raise(SIGTERM);
    if (strcmp(how, "kill") == 0) raise(SIGKILL);
    if (strcmp(how, "sys") == 0) raise(SIGSYS);
    if (strcmp(how, "thread") == 0) syscall(SYS_exit, 5);
    _exit(9);
}
