// bare MS BYTES COMMAND…: COMMAND again and again, as nobody, each time until it ends, MS are over or it has printed BYTES; then
// whatever it has started is killed. What any judge has to do, and nothing more. The first process of its namespace (bare.py).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NOBODY = 65534, NOT_EXECUTED = 127 };

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void become(int out, char **command) {
    (void)lseek(0, 0, SEEK_SET);
    const int first = open("/proc/self/oom_score_adj", O_WRONLY);
    // It is chosen when memory is over, and not who starts it.
    if (first < 0 || write(first, "1000", 4) != 4 || setsid() < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || setgid(NOBODY) != 0 ||
        setuid(NOBODY) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        _exit(NOT_EXECUTED);
    execvp(command[0], command);
    _exit(NOT_EXECUTED);
}

int main(int count, char **words) {
    if (count < 4) return 2;
    const long ms = atol(words[1]), bytes = atol(words[2]);
    for (;;) {
        int out[2], status = 0;
        if (pipe2(out, O_CLOEXEC) != 0) return 1;
        const long until = now_ms() + ms;
        const pid_t child = fork();
        if (child < 0) return 1;
        if (child == 0) become(out[1], words + 3);
        close(out[1]);
        struct pollfd watched[] = {{out[0], POLLIN, 0}, {(int)syscall(SYS_pidfd_open, child, 0), POLLIN, 0}};
        for (long left, printed = 0; printed < bytes && (left = until - now_ms()) > 0;) {
            if (poll(watched, 2, (int)left) <= 0 || watched[1].revents != 0) break;
            char text[1 << 16];
            const ssize_t size = read(out[0], text, sizeof text);
            if (size > 0) printed += size;
            if (size == 0) watched[0].fd = -1;  // It closed its streams, and goes on.
        }
        kill(-1, SIGKILL);
        for (pid_t pid; (pid = waitpid(-1, &status, 0)) > 0 || errno == EINTR;) {
            if (pid == child && WIFEXITED(status) && WEXITSTATUS(status) == NOT_EXECUTED) {
                fprintf(stderr, "%s cannot be executed\n", words[3]);
                return 1;
            }
        }
        close(watched[1].fd);
        close(out[0]);
    }
}
