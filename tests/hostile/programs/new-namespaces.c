// A user namespace of its own would give it capabilities to attack the kernel with.
#include "hostile.h"
#include <linux/sched.h>
int main(int argc, char **argv) {
    begin();
    const unsigned long kinds[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (argc > 1) syscall(SYS_clone, kinds[i] | SIGCHLD, 0, 0, 0, 0);  // `kill`: this profile ends it here
        REFUSED(syscall(SYS_clone, kinds[i] | SIGCHLD, 0, 0, 0, 0), EPERM);
        REFUSED(syscall(SYS_clone, kinds[i] | 0xdead00000000UL | SIGCHLD, 0, 0, 0, 0), EPERM);
        REFUSED(syscall(SYS_clone, kinds[i] | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EPERM);
        REFUSED(unshare((int)kinds[i]), EPERM);
    }
    REFUSED(unshare(0x80), EPERM);  // CLONE_NEWTIME
    struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    REFUSED(syscall(SYS_clone3, &args, sizeof args), ENOSYS);
    const int own = open("/proc/self/ns/user", O_RDONLY);
    REFUSED(setns(own, 0), EPERM);
    REFUSED(setns((int)syscall(SYS_pidfd_open, getpid(), 0), CLONE_NEWNS), EPERM);
    return held();
}
