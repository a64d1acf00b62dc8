// Forks as fast as it can, everywhere, and never ends.
#include "hostile.h"
int main(void) {
    begin();
    for (;;) (void)!fork();
}
