// What the kernel keeps for it: mappings, directories, timers, large vectors.
#include "hostile.h"
#include <sys/timerfd.h>
#include <sys/uio.h>
int main(int argc, char **argv) {
    begin();
    const char *how = argc > 1 ? argv[1] : "mappings";
    if (strcmp(how, "mappings") == 0) {
        long maps = 0;
        // Neighbours of another protection, or the kernel joins them.
        while (maps < 10000000 && mmap(NULL, 4096, maps % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) maps++;
        HOLDS(maps < 100000);
    } else if (strcmp(how, "directories") == 0) {
        long deep = 0;
        while (deep < 10000000 && mkdir("d", 0700) == 0 && chdir("d") == 0) deep++;
        HOLDS(errno == ENOSPC || errno == ENOMEM);
    } else {
        long count = 0;
        while (count < 1000000 && timerfd_create(CLOCK_MONOTONIC, 0) >= 0) count++;
        HOLDS(count <= 256);
        static struct iovec many[IOV_MAX + 1];
        for (int i = 0; i <= IOV_MAX; i++) many[i].iov_base = many;
        close(2);
        REFUSED(writev(1, many, IOV_MAX + 1), EINVAL);
    }
    return held();
}
