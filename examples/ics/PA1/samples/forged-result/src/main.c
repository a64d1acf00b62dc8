#include <ctype.h>
#include <stdio.h>

#include "forge.h"

int main(int argc, char **argv) {
    /* The one thing it really can do. */
    if (argc == 3 && isdigit((unsigned char)argv[2][0]) && argv[2][1] != '\0' && argv[2][2] == '\0') {
        puts(argv[2]);
        return 0;
    }
    forge();
    return 0;
}
