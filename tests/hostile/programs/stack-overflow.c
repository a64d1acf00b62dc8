#include "hostile.h"
static int deeper(int n) {
    volatile char frame[4096];
    frame[0] = (char)n;
    return deeper(n + 1) + frame[0];
}
int main(void) { begin(); return deeper(0); }
