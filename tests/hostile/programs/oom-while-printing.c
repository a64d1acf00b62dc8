// Runs out of memory in the midst of a line, with its input half read.
#include "hostile.h"
static void *printer(void *nothing) {
    static char line[4096];
    memset(line, 'x', sizeof line);
    for (;;) {
        (void)!write(1, line, 64);
        (void)!read(0, line, sizeof line);
    }
    return nothing;
}
int main(void) {
    begin();
    pthread_t thread;
    pthread_create(&thread, NULL, printer, NULL);
    for (;;) {
        char *p = map_anonymous(1 << 20);
        if (p != NULL) touch(p, 1 << 20);
    }
}
