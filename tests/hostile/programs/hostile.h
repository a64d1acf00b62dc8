// For the programs of the catalogue. Each prints `begun UID` first, so that nobody takes an attack that was never made for one that
// failed (UID is its identity outside, for who looks for what it left), and `held N` last when all its N tries ended as they must.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int tries, broken;

static inline void begin(void) {
    unsigned inside = 0, outside = 0;
    FILE *map = fopen("/proc/self/uid_map", "r");
    if (map != NULL) {
        if (fscanf(map, "%u %u", &inside, &outside) != 2) outside = 0;
        fclose(map);
    }
    printf("begun %u\n", outside);
    fflush(stdout);
}

static inline void check(int good, const char *what, long result, int error) {
    tries++;
    if (good) return;
    broken++;
    printf("NOT HELD: %s gave %ld, %s\n", what, result, strerror(error));
    fflush(stdout);
}

// The call must fail with one of the errors.
#define REFUSED(call, ...)                                                    \
    do {                                                                      \
        const int wanted_[] = {__VA_ARGS__};                                  \
        errno = 0;                                                            \
        const long result_ = (long)(call);                                    \
        const int error_ = errno;                                             \
        int good_ = 0;                                                        \
        for (size_t i_ = 0; i_ < sizeof wanted_ / sizeof *wanted_; i_++)      \
            good_ |= result_ == -1 && error_ == wanted_[i_];                  \
        check(good_, #call, result_, error_);                                 \
    } while (0)

#define HOLDS(condition)                                                      \
    do {                                                                      \
        const int good_ = (condition) != 0;                                   \
        check(good_, #condition, good_, errno);                               \
    } while (0)

static inline int held(void) {
    if (broken == 0) printf("held %d\n", tries);
    fflush(stdout);
    return broken != 0;
}

static inline void spin_for_ever(void) {
    for (volatile unsigned long i = 0;; i++) {}
}

// Writes to every page, so that it is really there.
static inline void touch(char *memory, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 4096) ((volatile char *)memory)[i] = (char)(i >> 12);
}

static inline char *map_anonymous(size_t bytes) {
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}
