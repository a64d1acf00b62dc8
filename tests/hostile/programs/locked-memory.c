// Memory that could never be taken back: locked, of huge pages, or there at once (`populate`).
#include "hostile.h"
int main(int argc, char **argv) {
    begin();
    const size_t bytes = 1 << 20;
    char *p = map_anonymous(bytes);
    HOLDS(p != NULL);
    REFUSED(mlock(p, bytes), EPERM, ENOMEM);
    REFUSED(mlockall(MCL_CURRENT | MCL_FUTURE), EPERM, ENOMEM);
    HOLDS(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) == MAP_FAILED);
    char *huge = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
    HOLDS(huge == MAP_FAILED);
    held();
    if (argc > 1) (void)!mmap(NULL, 1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return broken;
}
