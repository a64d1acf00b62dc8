// What makes a machine freeze, and what tells whether it was let run at all. Static, so that it runs anywhere.
//
//   load hog FLOOR_MIB HOLD_S MAX_S FILE
//                                    unpacks 120 MiB into FILE, then takes memory until the page cache is FLOOR_MIB, says so, and keeps it
//                                    there for HOLD_S, giving back what is too much: one that took more would be ended by the kernel,
//                                    and no freeze is left; MAX_S for all of it
//   load resident FILE SECONDS SEED  a program with much text: maps FILE and goes round in 8 MiB of it
//   load ticker SECONDS              locked, before all others: prints each time that it was late by 300 ms and more
//   load blocked PID SECONDS         locked, before all others: prints five times a second which threads of PID wait for the disk, and where
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20, PAGE = 4096, UNPACKED_MIB = 120, GROWN_AT_ONCE_MIB = 4, HOT_MIB = 8, LATE_MS = 300, TAKEN_MAX = 4096 };

static double now_s(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void sleep_ms(long ms) {
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static uint64_t state = 88172645463325252u;
static uint64_t some_number(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

// Pages of files that the kernel may throw out: not those that somebody locked.
static long page_cache_mib(int meminfo) {
    static char text[4096];
    const ssize_t size = pread(meminfo, text, sizeof text - 1, 0);
    if (size <= 0) return 0;
    text[size] = 0;
    long sum = 0;
    for (const char *name = "Active(file):"; name != NULL; name = strcmp(name, "Active(file):") == 0 ? "Inactive(file):" : NULL) {
        const char *at = strstr(text, name);
        if (at != NULL) sum += atol(at + strlen(name));
    }
    return sum / 1024;
}

static int hog(long floor_mib, double hold_s, double max_s, const char *path) {
    double end = now_s(CLOCK_MONOTONIC) + max_s;
    int there = 0;
    const int meminfo = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    static uint64_t block[MIB / 8];
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (int i = 0; file >= 0 && i < UNPACKED_MIB; ++i) {
        for (size_t j = 0; j < sizeof block / 8; j += 64) block[j] = some_number();
        if (write(file, block, sizeof block) < 0) break;  // A sandbox has less room: then memory alone.
    }
    static struct {
        void *at;
        long mib;
    } taken[TAKEN_MAX];
    int count = 0;
    long taken_mib = 0;
    while (now_s(CLOCK_MONOTONIC) < end) {
        const long cache = page_cache_mib(meminfo);
        if (cache <= floor_mib) {
            if (!there) {
                there = 1;
                if (now_s(CLOCK_MONOTONIC) + hold_s < end) end = now_s(CLOCK_MONOTONIC) + hold_s;
                dprintf(1, "{\"what\":\"plateau\",\"t\":%.3f,\"mib\":%ld}\n", now_s(CLOCK_REALTIME), taken_mib);
            }
            if (cache < floor_mib && count > 0) {
                taken_mib -= taken[--count].mib;
                munmap(taken[count].at, (size_t)taken[count].mib * MIB);
            }
            sleep_ms(50);
            continue;
        }
        if (count == TAKEN_MAX) break;
        const long more = cache > floor_mib + 64 ? GROWN_AT_ONCE_MIB : 1;
        uint64_t *memory = mmap(NULL, (size_t)more * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) break;
        for (size_t i = 0; i < (size_t)more * MIB / 8; i += PAGE / 8) memory[i] = some_number();
        taken_mib += more;
        taken[count].at = memory;
        taken[count++].mib = more;
    }
    fprintf(stderr, "hog: took %ld MiB\n", taken_mib);
    unlink(path);
    return 0;
}

static int resident(const char *path, double seconds, uint64_t seed) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (file < 0 || fstat(file, &info) != 0) return 1;
    const unsigned char *text = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    if (text == MAP_FAILED) return 1;
    state ^= (seed + 1) * 0x9e3779b97f4a7c15u;
    const size_t hot = (size_t)HOT_MIB * MIB, begin = (size_t)seed * hot % ((size_t)info.st_size - hot + 1) / PAGE * PAGE;
    const double end = now_s(CLOCK_MONOTONIC) + seconds;
    unsigned sum = 0;
    while (now_s(CLOCK_MONOTONIC) < end) {
        for (int i = 0; i < 100; ++i) sum += text[begin + some_number() % (hot / PAGE) * PAGE];
        sleep_ms(40);
    }
    return sum == 1 ? 3 : 0;
}

static int ticker(double seconds) {
    const struct sched_param first = {.sched_priority = 50};
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0 || sched_setscheduler(0, SCHED_FIFO, &first) != 0) return 1;
    const double end = now_s(CLOCK_MONOTONIC) + seconds;
    for (double due = now_s(CLOCK_MONOTONIC); due < end;) {
        due += 0.1;
        const double wait = due - now_s(CLOCK_MONOTONIC);
        if (wait > 0) sleep_ms((long)(wait * 1000) + 1);
        const double late_ms = (now_s(CLOCK_MONOTONIC) - due) * 1000;
        if (late_ms < LATE_MS) continue;
        dprintf(1, "{\"what\":\"starved\",\"t\":%.3f,\"late_ms\":%.0f}\n", now_s(CLOCK_REALTIME), late_ms);
        due = now_s(CLOCK_MONOTONIC);
    }
    return 0;
}

static size_t read_text(int folder, const char *name, char *text, size_t size) {
    const int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    const ssize_t got = file < 0 ? 0 : read(file, text, size - 1);
    if (file >= 0) close(file);
    text[got > 0 ? got : 0] = 0;
    return got > 0 ? (size_t)got : 0;
}

// "[<0>] io_schedule+0x46/0x80" a line becomes "io_schedule<...", without what every wait begins with.
static void print_blocked(const char *thread, const char *name, char *stack, const char *where) {
    char line[1024];
    size_t used = 0;
    for (char *at = strtok(stack, "\n"); at != NULL && used < sizeof line - 80; at = strtok(NULL, "\n")) {
        char *function = strchr(at, ' ');
        if (function == NULL) continue;
        char *end = strchr(++function, '+');
        if (end != NULL) *end = 0;
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%.60s", used == 0 ? "" : "<", function);
    }
    dprintf(1, "{\"what\":\"blocked\",\"t\":%.3f,\"thread\":\"%s %s\",\"stack\":\"%s\",\"at\":\"%.120s\"}\n", now_s(CLOCK_REALTIME), thread, name,
            used == 0 ? "" : line, where);
}

static int blocked(const char *pid, double seconds) {
    const struct sched_param first = {.sched_priority = 40};
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0 || sched_setscheduler(0, SCHED_FIFO, &first) != 0) return 1;
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/task", pid);
    const double end = now_s(CLOCK_MONOTONIC) + seconds;
    while (now_s(CLOCK_MONOTONIC) < end) {
        DIR *threads = opendir(path);
        if (threads == NULL) return 0;
        for (const struct dirent *one; (one = readdir(threads)) != NULL;) {
            static char stat[1024], stack[4096], where[256], name[32];
            const int folder = openat(dirfd(threads), one->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
            if (one->d_name[0] != '.' && read_text(folder, "stat", stat, sizeof stat) > 0) {
                const char *after = strrchr(stat, ')');
                if (after != NULL && after[2] == 'D') {
                    read_text(folder, "stack", stack, sizeof stack);
                    where[strcspn(where, "\n")] = 0;
                    if (read_text(folder, "syscall", where, sizeof where) > 0) where[strcspn(where, "\n")] = 0;
                    if (read_text(folder, "comm", name, sizeof name) > 0) name[strcspn(name, "\n")] = 0;
                    print_blocked(one->d_name, name, stack, where);
                }
            }
            if (folder >= 0) close(folder);
        }
        closedir(threads);
        sleep_ms(200);
    }
    return 0;
}

int main(int count, char **words) {
    if (count == 4 && strcmp(words[1], "blocked") == 0) return blocked(words[2], atof(words[3]));
    if (count == 6 && strcmp(words[1], "hog") == 0) return hog(atol(words[2]), atof(words[3]), atof(words[4]), words[5]);
    if (count == 5 && strcmp(words[1], "resident") == 0) return resident(words[2], atof(words[3]), strtoull(words[4], NULL, 10));
    if (count == 3 && strcmp(words[1], "ticker") == 0) return ticker(atof(words[2]));
    fputs("usage: load hog|resident|ticker|blocked …\n", stderr);
    return 2;
}
