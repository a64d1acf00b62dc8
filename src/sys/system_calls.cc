#include "sys/system_calls.hh"

#include <sys/syscall.h>

namespace assay::sys {

// Which calls there are differs between machines: newer ones lack what others replaced.
std::string_view system_call_name(long number) {
    switch (number) {
#ifdef SYS_read
        case SYS_read: return "read";
#endif
#ifdef SYS_write
        case SYS_write: return "write";
#endif
#ifdef SYS_readv
        case SYS_readv: return "readv";
#endif
#ifdef SYS_writev
        case SYS_writev: return "writev";
#endif
#ifdef SYS_pread64
        case SYS_pread64: return "pread64";
#endif
#ifdef SYS_pwrite64
        case SYS_pwrite64: return "pwrite64";
#endif
#ifdef SYS_preadv
        case SYS_preadv: return "preadv";
#endif
#ifdef SYS_pwritev
        case SYS_pwritev: return "pwritev";
#endif
#ifdef SYS_preadv2
        case SYS_preadv2: return "preadv2";
#endif
#ifdef SYS_pwritev2
        case SYS_pwritev2: return "pwritev2";
#endif
#ifdef SYS_open
        case SYS_open: return "open";
#endif
#ifdef SYS_openat
        case SYS_openat: return "openat";
#endif
#ifdef SYS_openat2
        case SYS_openat2: return "openat2";
#endif
#ifdef SYS_stat
        case SYS_stat: return "stat";
#endif
#ifdef SYS_lstat
        case SYS_lstat: return "lstat";
#endif
#ifdef SYS_newfstatat
        case SYS_newfstatat: return "newfstatat";
#endif
#ifdef SYS_fstat
        case SYS_fstat: return "fstat";
#endif
#ifdef SYS_statx
        case SYS_statx: return "statx";
#endif
#ifdef SYS_access
        case SYS_access: return "access";
#endif
#ifdef SYS_faccessat
        case SYS_faccessat: return "faccessat";
#endif
#ifdef SYS_faccessat2
        case SYS_faccessat2: return "faccessat2";
#endif
#ifdef SYS_readlink
        case SYS_readlink: return "readlink";
#endif
#ifdef SYS_readlinkat
        case SYS_readlinkat: return "readlinkat";
#endif
#ifdef SYS_unlink
        case SYS_unlink: return "unlink";
#endif
#ifdef SYS_unlinkat
        case SYS_unlinkat: return "unlinkat";
#endif
#ifdef SYS_rename
        case SYS_rename: return "rename";
#endif
#ifdef SYS_renameat
        case SYS_renameat: return "renameat";
#endif
#ifdef SYS_renameat2
        case SYS_renameat2: return "renameat2";
#endif
#ifdef SYS_mkdir
        case SYS_mkdir: return "mkdir";
#endif
#ifdef SYS_mkdirat
        case SYS_mkdirat: return "mkdirat";
#endif
#ifdef SYS_rmdir
        case SYS_rmdir: return "rmdir";
#endif
#ifdef SYS_link
        case SYS_link: return "link";
#endif
#ifdef SYS_linkat
        case SYS_linkat: return "linkat";
#endif
#ifdef SYS_symlink
        case SYS_symlink: return "symlink";
#endif
#ifdef SYS_symlinkat
        case SYS_symlinkat: return "symlinkat";
#endif
#ifdef SYS_truncate
        case SYS_truncate: return "truncate";
#endif
#ifdef SYS_ftruncate
        case SYS_ftruncate: return "ftruncate";
#endif
#ifdef SYS_fallocate
        case SYS_fallocate: return "fallocate";
#endif
#ifdef SYS_getdents
        case SYS_getdents: return "getdents";
#endif
#ifdef SYS_getdents64
        case SYS_getdents64: return "getdents64";
#endif
#ifdef SYS_fsync
        case SYS_fsync: return "fsync";
#endif
#ifdef SYS_fdatasync
        case SYS_fdatasync: return "fdatasync";
#endif
#ifdef SYS_sync
        case SYS_sync: return "sync";
#endif
#ifdef SYS_syncfs
        case SYS_syncfs: return "syncfs";
#endif
#ifdef SYS_sync_file_range
        case SYS_sync_file_range: return "sync_file_range";
#endif
#ifdef SYS_msync
        case SYS_msync: return "msync";
#endif
#ifdef SYS_chmod
        case SYS_chmod: return "chmod";
#endif
#ifdef SYS_fchmod
        case SYS_fchmod: return "fchmod";
#endif
#ifdef SYS_fchmodat
        case SYS_fchmodat: return "fchmodat";
#endif
#ifdef SYS_chown
        case SYS_chown: return "chown";
#endif
#ifdef SYS_fchownat
        case SYS_fchownat: return "fchownat";
#endif
#ifdef SYS_utimensat
        case SYS_utimensat: return "utimensat";
#endif
#ifdef SYS_getxattr
        case SYS_getxattr: return "getxattr";
#endif
#ifdef SYS_statfs
        case SYS_statfs: return "statfs";
#endif
#ifdef SYS_fstatfs
        case SYS_fstatfs: return "fstatfs";
#endif
#ifdef SYS_close
        case SYS_close: return "close";
#endif
#ifdef SYS_execve
        case SYS_execve: return "execve";
#endif
#ifdef SYS_sendfile
        case SYS_sendfile: return "sendfile";
#endif
#ifdef SYS_splice
        case SYS_splice: return "splice";
#endif
#ifdef SYS_tee
        case SYS_tee: return "tee";
#endif
#ifdef SYS_copy_file_range
        case SYS_copy_file_range: return "copy_file_range";
#endif
#ifdef SYS_poll
        case SYS_poll: return "poll";
#endif
#ifdef SYS_ppoll
        case SYS_ppoll: return "ppoll";
#endif
#ifdef SYS_select
        case SYS_select: return "select";
#endif
#ifdef SYS_pselect6
        case SYS_pselect6: return "pselect6";
#endif
#ifdef SYS_epoll_wait
        case SYS_epoll_wait: return "epoll_wait";
#endif
#ifdef SYS_epoll_pwait
        case SYS_epoll_pwait: return "epoll_pwait";
#endif
#ifdef SYS_epoll_pwait2
        case SYS_epoll_pwait2: return "epoll_pwait2";
#endif
#ifdef SYS_recvfrom
        case SYS_recvfrom: return "recvfrom";
#endif
#ifdef SYS_recvmsg
        case SYS_recvmsg: return "recvmsg";
#endif
#ifdef SYS_recvmmsg
        case SYS_recvmmsg: return "recvmmsg";
#endif
#ifdef SYS_sendto
        case SYS_sendto: return "sendto";
#endif
#ifdef SYS_sendmsg
        case SYS_sendmsg: return "sendmsg";
#endif
#ifdef SYS_sendmmsg
        case SYS_sendmmsg: return "sendmmsg";
#endif
#ifdef SYS_accept
        case SYS_accept: return "accept";
#endif
#ifdef SYS_accept4
        case SYS_accept4: return "accept4";
#endif
#ifdef SYS_connect
        case SYS_connect: return "connect";
#endif
#ifdef SYS_futex
        case SYS_futex: return "futex";
#endif
#ifdef SYS_futex_waitv
        case SYS_futex_waitv: return "futex_waitv";
#endif
#ifdef SYS_wait4
        case SYS_wait4: return "wait4";
#endif
#ifdef SYS_waitid
        case SYS_waitid: return "waitid";
#endif
#ifdef SYS_nanosleep
        case SYS_nanosleep: return "nanosleep";
#endif
#ifdef SYS_clock_nanosleep
        case SYS_clock_nanosleep: return "clock_nanosleep";
#endif
#ifdef SYS_restart_syscall
        case SYS_restart_syscall: return "restart_syscall";
#endif
#ifdef SYS_pause
        case SYS_pause: return "pause";
#endif
#ifdef SYS_rt_sigsuspend
        case SYS_rt_sigsuspend: return "rt_sigsuspend";
#endif
#ifdef SYS_rt_sigtimedwait
        case SYS_rt_sigtimedwait: return "rt_sigtimedwait";
#endif
#ifdef SYS_flock
        case SYS_flock: return "flock";
#endif
#ifdef SYS_fcntl
        case SYS_fcntl: return "fcntl";
#endif
#ifdef SYS_semop
        case SYS_semop: return "semop";
#endif
#ifdef SYS_semtimedop
        case SYS_semtimedop: return "semtimedop";
#endif
#ifdef SYS_msgrcv
        case SYS_msgrcv: return "msgrcv";
#endif
#ifdef SYS_msgsnd
        case SYS_msgsnd: return "msgsnd";
#endif
#ifdef SYS_mq_timedreceive
        case SYS_mq_timedreceive: return "mq_timedreceive";
#endif
#ifdef SYS_mq_timedsend
        case SYS_mq_timedsend: return "mq_timedsend";
#endif
#ifdef SYS_io_getevents
        case SYS_io_getevents: return "io_getevents";
#endif
#ifdef SYS_io_pgetevents
        case SYS_io_pgetevents: return "io_pgetevents";
#endif
#ifdef SYS_io_uring_enter
        case SYS_io_uring_enter: return "io_uring_enter";
#endif
#ifdef SYS_sched_yield
        case SYS_sched_yield: return "sched_yield";
#endif
#ifdef SYS_ptrace
        case SYS_ptrace: return "ptrace";
#endif
#ifdef SYS_ioctl
        case SYS_ioctl: return "ioctl";
#endif
        default: return "";
    }
}

}  // namespace assay::sys
