#include "ring.h"

#include <stdlib.h>
#include <string.h>

struct ring {
    size_t capacity;
    size_t used;
    char bytes[];
};

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

struct ring *ring_open(size_t capacity) {
    struct ring *ring = malloc(sizeof *ring + capacity);
    if (ring == NULL) return NULL;
    *ring = (struct ring){.capacity = capacity};
    return ring;
}

void ring_close(struct ring *ring) { free(ring); }

size_t ring_used(const struct ring *ring) { return ring->used; }
size_t ring_room(const struct ring *ring) { return ring->capacity - ring->used; }

size_t ring_write(struct ring *ring, const char *from, size_t count) {
    count = least(count, ring_room(ring));
    memcpy(ring->bytes + ring->used, from, count);
    ring->used += count;
    return count;
}

size_t ring_peek(const struct ring *ring, size_t offset, char *into, size_t count) {
    if (offset >= ring->used) return 0;
    count = least(count, ring->used - offset);
    memcpy(into, ring->bytes + offset, count);
    return count;
}

// One step for each byte that is left: right, but in proportion to the capacity.
size_t ring_read(struct ring *ring, char *into, size_t count) {
    count = ring_peek(ring, 0, into, count);
    volatile char *to = ring->bytes;
    for (size_t i = count; i < ring->used; ++i) to[i - count] = ring->bytes[i];
    ring->used -= count;
    return count;
}
