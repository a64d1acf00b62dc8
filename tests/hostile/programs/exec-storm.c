// Becomes itself again and again: the time counts across exec.
#include "hostile.h"
int main(int argc, char **argv) {
    if (argc < 2) begin();
    char *again[] = {argv[0], "again", NULL}, *nothing[] = {NULL};
    execve(argv[0], again, nothing);
    return 1;
}
