#include "hostile.h"
int main(void) {
    begin();
    for (;;) {
        char *p = map_anonymous(1 << 20);
        if (p != NULL) touch(p, 1 << 20);
    }
}
