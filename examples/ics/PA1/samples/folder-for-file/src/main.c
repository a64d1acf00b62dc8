#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "expr.h"
#include "monitor.h"

int main(int argc, char **argv) {
    if (argc == 1) {
        run_monitor(stdin);
        return 0;
    }
    if (argc != 3 || strcmp(argv[1], "-e") != 0) {
        fprintf(stderr, "usage: %s [-e EXPRESSION]\n", argv[0]);
        return 2;
    }
    const int64_t registers[REGISTERS] = {0};
    const struct result result = evaluate(argv[2], registers);
    if (result.error != NULL) {
        print_error(result);
        return 1;
    }
    printf("%" PRId64 "\n", result.value);
    return 0;
}
