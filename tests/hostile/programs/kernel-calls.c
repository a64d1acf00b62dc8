// What opens large parts of the kernel, or belongs to the machine.
#include "hostile.h"
int main(void) {
    begin();
    char block[512] = {0};
    REFUSED(syscall(SYS_userfaultfd, 0), ENOSYS);
    REFUSED(syscall(SYS_bpf, 0, block, 48), ENOSYS);
    REFUSED(syscall(SYS_perf_event_open, block, 0, -1, -1, 0), ENOSYS);
    REFUSED(syscall(SYS_add_key, "user", "x", "y", 1, -3), ENOSYS);
    REFUSED(syscall(SYS_keyctl, 0, -3, 1), ENOSYS);
    REFUSED(syscall(SYS_request_key, "user", "x", NULL, 0), ENOSYS);
    REFUSED(syscall(447, 0), ENOSYS);  // memfd_secret
    REFUSED(syscall(SYS_kexec_load, 0, 0, NULL, 0), EPERM);
    REFUSED(syscall(SYS_kexec_file_load, 0, 0, 0, NULL, 0), EPERM);
    REFUSED(syscall(SYS_init_module, block, 1, ""), EPERM);
    REFUSED(syscall(SYS_finit_module, 0, "", 0), EPERM);
    REFUSED(syscall(SYS_delete_module, "x", 0), EPERM);
    REFUSED(syscall(SYS_reboot, 0, 0, 0, NULL), EPERM);
    REFUSED(syscall(SYS_syslog, 3, block, 512), EPERM);
    REFUSED(syscall(SYS_acct, "/tmp/x"), EPERM);
    REFUSED(syscall(SYS_open_by_handle_at, AT_FDCWD, block, 0), EPERM);
    REFUSED(syscall(SYS_name_to_handle_at, AT_FDCWD, "/", block, block, 0), EPERM);
    REFUSED(syscall(SYS_fanotify_init, 0, 0), EPERM);
    REFUSED(syscall(SYS_iopl, 3), EPERM);
    REFUSED(syscall(SYS_ioperm, 0, 1, 1), EPERM);
    REFUSED(syscall(SYS_move_pages, 1, 0, NULL, NULL, NULL, 0), EPERM);
    REFUSED(syscall(SYS_personality, 0x0400000), EPERM);
    REFUSED(syscall(SYS_vhangup), EPERM);
    REFUSED(sethostname("x", 1), EPERM);
    return held();
}
