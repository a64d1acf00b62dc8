// Several threads share one limit of CPU time.
#include "hostile.h"
static void *spin(void *nothing) { spin_for_ever(); return nothing; }
int main(void) {
    begin();
    pthread_t thread;
    for (int i = 0; i < 7; i++) pthread_create(&thread, NULL, spin, NULL);
    spin_for_ever();
}
