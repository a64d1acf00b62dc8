#include <stdio.h>
#include <string.h>

#include "ring.h"

enum { LINE_MAX_BYTES = 8192, CAPACITY_MAX = 1 << 20 };

static char line[LINE_MAX_BYTES];
static char found[CAPACITY_MAX + 1];

static void answer(size_t count) {
    found[count] = '\0';
    printf("%zu %s\n", count, found);
}

int main(void) {
    struct ring *ring = NULL;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        size_t first = 0, second = 0;
        if (sscanf(line, "open %zu", &first) == 1 && first >= 1 && first <= CAPACITY_MAX) {
            ring_close(ring);
            ring = ring_open(first);
            puts(ring != NULL ? "ok" : "error");
        } else if (ring == NULL) {
            puts("error");
        } else if (strncmp(line, "write ", 6) == 0) {
            printf("%zu\n", ring_write(ring, line + 6, strlen(line + 6)));
        } else if (sscanf(line, "read %zu", &first) == 1 && first <= CAPACITY_MAX) {
            answer(ring_read(ring, found, first));
        } else if (sscanf(line, "peek %zu %zu", &first, &second) == 2 && second <= CAPACITY_MAX) {
            answer(ring_peek(ring, first, found, second));
        } else if (strcmp(line, "used") == 0) {
            printf("%zu\n", ring_used(ring));
        } else if (strcmp(line, "room") == 0) {
            printf("%zu\n", ring_room(ring));
        } else {
            puts("error");
        }
        fflush(stdout);
    }
    ring_close(ring);
    return 0;
}
