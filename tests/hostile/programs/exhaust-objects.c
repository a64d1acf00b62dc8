// Timers, queued signals, message queues, epoll and inotify: each has an end, and it is an error inside.
#include "hostile.h"
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
int main(void) {
    begin();
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    int count = 0;
    while (count < 1000000 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) count++;
    HOLDS(count > 0 && count <= 1024);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    union sigval value = {0};
    for (count = 0; count < 1000000 && sigqueue(getpid(), SIGRTMIN, value) == 0;) count++;
    HOLDS(count <= 1024);
    REFUSED(mq_open("/queue", O_CREAT | O_RDWR, 0600, NULL), EMFILE, EACCES, ENOSYS);
    for (count = 0; count < 1000000 && inotify_init() >= 0;) count++;
    HOLDS(count <= 256);
    for (count = 0; count < 1000000 && epoll_create1(0) >= 0;) count++;
    HOLDS(count <= 256);
    return held();
}
