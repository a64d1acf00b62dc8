// Little memory before the forks, much after.
#include "hostile.h"
int main(void) {
    begin();
    const size_t bytes = 16 << 20;
    char *p = map_anonymous(bytes);
    touch(p, bytes);
    for (int i = 0; i < 4; i++) (void)!fork();
    for (int round = 0;; round++) touch(p, bytes);
}
