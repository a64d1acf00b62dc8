// The work is done in children that are gone before anybody looks.
#include "hostile.h"
int main(void) {
    begin();
    for (;;) {
        if (fork() == 0) {
            for (volatile int i = 0; i < 3000000; i++) {}
            _exit(0);
        }
        wait(NULL);
    }
}
