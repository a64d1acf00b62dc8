// A byte at a time.
#include "hostile.h"
int main(void) {
    begin();
    for (int i = 0; i < 20000; i++) (void)!write(1, i % 80 == 79 ? "\n" : ".", 1);
    (void)!write(1, "\n", 1);
    HOLDS(1);
    return held();
}
