#include "hostile.h"
int main(void) {
    begin();
    if (fork() == 0) for (;;) raise(SIGSTOP);
    for (;;) raise(SIGSTOP);
}
