// What the kernel alone takes for some of bench/sandbox.cc's figures. By hand: cc -O1 -o launch launch.c && ./launch [ROUNDS]. Needs root.
//
// A prepared process that is told to become /bin/true, from the word to its end: told directly, and by a keeper between, who tells of the
// end too; with and without pid, mount, ipc and uts namespaces of its own. In turns with vfork+exec. Then, two at a time for a second each, three
// times: vfork+exec, a prepared process in pid, mount, ipc and uts namespaces of its own, the same with a network namespace, and that
// namespace alone, made and left by a process that does nothing else.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

enum { rounds_max = 1000, breath_us = 60000 };
static char* const command[] = {"/bin/true", NULL};
static const uint64_t apart = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;

static void must(int done, const char* what) {
    if (done) return;
    perror(what);
    exit(1);
}

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_size(const void* one, const void* other) {
    const double a = *(const double*)one, b = *(const double*)other;
    return (a > b) - (a < b);
}

static void print(const char* name, double* values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_size);
    printf("%-40s median %.3f  p10 %.3f  p99 %.3f ms\n", name, values[count / 2], values[count / 10], values[count * 99 / 100]);
}

static double spawned(void) {
    const double begin = now_ms();
    pid_t pid;
    must(posix_spawn(&pid, command[0], NULL, NULL, command, environ) == 0, "posix_spawn");
    must(waitpid(pid, NULL, 0) == pid, "waitpid");
    return now_ms() - begin;
}

struct prepared {
    pid_t pid;
    int talk, pidfd;
};

static struct prepared prepare(uint64_t namespaces) {
    struct prepared made;
    int talk[2];
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk) == 0, "socketpair");
    struct clone_args arguments = {.flags = CLONE_PIDFD | namespaces, .pidfd = (uintptr_t)&made.pidfd, .exit_signal = SIGCHLD};
    made.pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    must(made.pid >= 0, "clone3");
    if (made.pid == 0) {
        char word;
        close(talk[0]);
        if (read(talk[1], &word, 1) == 1) execve(command[0], command, environ);
        _exit(1);
    }
    close(talk[1]);
    made.talk = talk[0];
    return made;
}

static void run(const struct prepared* process) {
    struct pollfd end = {process->pidfd, POLLIN, 0};
    must(write(process->talk, "g", 1) == 1 && poll(&end, 1, -1) == 1, "prepared process");
}

static void drop(const struct prepared* process) {
    must(waitpid(process->pid, NULL, 0) == process->pid, "waitpid");
    close(process->talk);
    close(process->pidfd);
}

static double told(uint64_t namespaces) {
    const struct prepared process = prepare(namespaces);
    usleep(breath_us);
    const double begin = now_ms();
    run(&process);
    const double took = now_ms() - begin;
    drop(&process);
    return took;
}

// One word prepares, the next runs; each is answered.
static void keep(int socket, uint64_t namespaces) {
    char word;
    while (read(socket, &word, 1) == 1) {
        const struct prepared process = prepare(namespaces);
        if (write(socket, "r", 1) != 1 || read(socket, &word, 1) != 1) _exit(1);
        run(&process);
        if (write(socket, "e", 1) != 1) _exit(1);
        drop(&process);
    }
    _exit(0);
}

static int keeper(uint64_t namespaces) {
    int talk[2];
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk) == 0, "socketpair");
    const pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        close(talk[0]);
        keep(talk[1], namespaces);
    }
    close(talk[1]);
    return talk[0];
}

static double kept(int socket) {
    char word;
    must(write(socket, "p", 1) == 1 && read(socket, &word, 1) == 1, "keeper");
    usleep(breath_us);
    const double begin = now_ms();
    must(write(socket, "g", 1) == 1 && read(socket, &word, 1) == 1, "keeper");
    return now_ms() - begin;
}

static void exec_once(void) { spawned(); }

static void apart_once(void) {
    const struct prepared process = prepare(apart);
    run(&process);
    drop(&process);
}

static void apart_network_once(void) {
    const struct prepared process = prepare(apart | CLONE_NEWNET);
    run(&process);
    drop(&process);
}

static void network_once(void) { must(unshare(CLONE_NEWNET) == 0, "unshare"); }

// Per second, by two processes.
static double rate(void (*one)(void)) {
    int counts[2], total = 0;
    must(pipe(counts) == 0, "pipe");
    const double begin = now_ms();
    for (int i = 0; i < 2; ++i) {
        const pid_t pid = fork();
        must(pid >= 0, "fork");
        if (pid > 0) continue;
        int count = 0;
        for (; now_ms() - begin < 1000; ++count) one();
        _exit(write(counts[1], &count, sizeof count) != sizeof count);
    }
    for (int i = 0; i < 2; ++i) {
        int count = 0;
        must(wait(NULL) > 0 && read(counts[0], &count, sizeof count) == sizeof count, "rate");
        total += count;
    }
    close(counts[0]);
    close(counts[1]);
    return total / (now_ms() - begin) * 1e3;
}

int main(int argc, char** argv) {
    static double values[5][rounds_max];
    const char* const names[] = {"vfork+exec", "prepared", "prepared, namespaces of its own", "by a keeper", "by a keeper, namespaces of its own"};
    const int rounds = argc > 1 ? atoi(argv[1]) : 100;
    must(rounds > 0 && rounds <= rounds_max, "1 to 1000 rounds");
    const int plain = keeper(0), alone = keeper(apart);
    for (int i = 0; i < rounds; ++i) {
        usleep(breath_us);
        values[0][i] = spawned();
        values[1][i] = told(0);
        values[2][i] = told(apart);
        values[3][i] = kept(plain);
        values[4][i] = kept(alone);
    }
    for (int i = 0; i < 5; ++i) print(names[i], values[i], rounds);
    void (*const sustained[])(void) = {exec_once, apart_once, apart_network_once, network_once};
    double rates[4][3];
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 4; ++i) rates[i][round] = rate(sustained[i]);
    }
    const char* const kinds[] = {"vfork+exec", "prepared, namespaces of its own", "the same and a network namespace", "network namespaces alone"};
    for (int i = 0; i < 4; ++i) printf("%-40s %.0f %.0f %.0f a second, two at a time\n", kinds[i], rates[i][0], rates[i][1], rates[i][2]);
    return 0;
}
