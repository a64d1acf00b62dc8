// A better place than others on the processor or the disk.
#include "hostile.h"
int main(void) {
    begin();
    struct sched_param real_time = {.sched_priority = 1};
    REFUSED(sched_setscheduler(0, SCHED_FIFO, &real_time), EPERM);
    REFUSED(sched_setscheduler(0, SCHED_RR, &real_time), EPERM);
    struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; } deadline = {
        48, 6, 0, 0, 0, 10000000, 20000000, 20000000};
    REFUSED(syscall(SYS_sched_setattr, 0, &deadline, 0), EPERM);
    REFUSED(setpriority(PRIO_PROCESS, 0, -20), EACCES, EPERM);
    REFUSED(nice(-1), EPERM);
    REFUSED(syscall(SYS_ioprio_set, 1, 0, 1 << 13), EPERM);
    struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
    REFUSED(setrlimit(RLIMIT_RTPRIO, &more), EPERM);
    REFUSED(setrlimit(RLIMIT_NICE, &more), EPERM);
    REFUSED(setrlimit(RLIMIT_NOFILE, &more), EPERM);
    cpu_set_t all;
    memset(&all, 0xff, sizeof all);
    (void)sched_setaffinity(0, sizeof all, &all);  // Within what it may use: harmless.
    HOLDS(1);
    return held();
}
