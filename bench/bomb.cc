// Forks without end, for bench/sandbox.cc. Of the C library alone, as what participants hand in mostly is: how long a process takes to
// end depends on what it has mapped.
#include <unistd.h>

int main() {
    for (;;) (void)!fork();
}
