// Filter upon filter: each is kernel memory, and each is run at every call.
#include "hostile.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
int main(void) {
    begin();
    static struct sock_filter code[4096];
    for (int i = 0; i < 4095; i++) code[i] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
    code[4095] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {4096, code};
    int count = 0;
    while (count < 10000 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) count++;
    HOLDS(count < 16);
    // None of them can take away what the first one refuses.
    REFUSED(syscall(SYS_bpf, 0, NULL, 0), ENOSYS);
    return held();
}
