// Every process of the bomb takes memory as well.
#include "hostile.h"
int main(void) {
    begin();
    for (;;) {
        if (fork() != 0) continue;
        char *p = map_anonymous(1 << 20);
        if (p != NULL) touch(p, 1 << 20);
    }
}
