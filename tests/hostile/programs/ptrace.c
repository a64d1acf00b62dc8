// Looks into init and into its own child.
#include "hostile.h"
#include <sys/ptrace.h>
#include <sys/uio.h>
int main(void) {
    begin();
    const pid_t child = fork();
    if (child == 0) for (;;) pause();
    char byte = 0;
    struct iovec here = {&byte, 1}, there = {&byte, 1};
    for (int i = 0; i < 2; i++) {
        const pid_t whom = i == 0 ? 1 : child;
        REFUSED(ptrace(PTRACE_ATTACH, whom, NULL, NULL), EPERM);
        REFUSED(ptrace(PTRACE_SEIZE, whom, NULL, NULL), EPERM);
        REFUSED(process_vm_readv(whom, &here, 1, &there, 1, 0), EPERM);
        REFUSED(process_vm_writev(whom, &here, 1, &there, 1, 0), EPERM);
        REFUSED(syscall(SYS_kcmp, whom, getpid(), 0, 0, 0), EPERM);
    }
    REFUSED(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM);
    const int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
    if (pidfd >= 0) {
        REFUSED(syscall(SYS_pidfd_getfd, pidfd, 0, 0), EPERM);
        REFUSED(syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0), EPERM);
    }
    return held();
}
