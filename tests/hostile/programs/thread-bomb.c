// Threads and vforked children count like processes.
#include "hostile.h"
static void *sleeper(void *nothing) { pause(); return nothing; }
int main(void) {
    begin();
    int threads = 0;
    pthread_t thread;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 << 10);
    while (threads < 100000 && pthread_create(&thread, &small, sleeper, NULL) == 0) threads++;
    HOLDS(threads > 0 && threads < 32);
    REFUSED(vfork(), EAGAIN);
    REFUSED(fork(), EAGAIN);
    held();
    return 1;
}
