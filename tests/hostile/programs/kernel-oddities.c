// Pointers, lists and signals that the kernel reads when a process dies, and calls by old ways.
#include "hostile.h"
#include <linux/futex.h>
static void nothing(int number) { (void)number; }
int main(void) {
    begin();
    for (int round = 0; round < 200; round++) {
        const pid_t child = fork();
        if (child != 0) {
            waitpid(child, NULL, 0);
            continue;
        }
        struct robust_list_head head = {.list = {(struct robust_list *)(uintptr_t)(round * 4096 + 1)}, .futex_offset = LONG_MIN + round, .list_op_pending = (void *)~0UL};
        syscall(SYS_set_robust_list, &head, sizeof head);
        syscall(SYS_set_tid_address, (uintptr_t)round << 40);
        syscall(SYS_rt_sigaction, 64 + round, NULL, NULL, 8);
        syscall(SYS_futex, 1, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
        syscall(SYS_rt_sigreturn);
        _exit(0);
    }
    for (int i = 1; i < NSIG; i++) {
        if (i == SIGKILL || i == SIGSTOP || i == 32 || i == 33) continue;
        signal(i, nothing);
        raise(i);
    }
    REFUSED(syscall(SYS_sigaltstack, (void *)1, NULL), EFAULT);
    const pid_t child = fork();
    if (child == 0) {
        ((long (*)(void))0xffffffffff600400)();  // time() by the vsyscall page
        _exit(0);
    }
    HOLDS(waitpid(child, NULL, 0) == child);
    return held();
}
