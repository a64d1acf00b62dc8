// Address space is not memory: runtimes reserve a great deal of it.
#include "hostile.h"
int main(void) {
    begin();
    char *p = mmap(NULL, 1UL << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    HOLDS(p != MAP_FAILED);
    char *q = mmap(NULL, 16UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    HOLDS(q != MAP_FAILED);
    touch(q, 1 << 20);
    return held();
}
