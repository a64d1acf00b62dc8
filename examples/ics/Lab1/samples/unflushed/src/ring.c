#include "ring.h"

#include <stdlib.h>
#include <string.h>

struct ring {
    size_t capacity;
    size_t begin;  // of the oldest byte
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
    const size_t end = (ring->begin + ring->used) % ring->capacity;
    const size_t first = least(count, ring->capacity - end);
    memcpy(ring->bytes + end, from, first);
    memcpy(ring->bytes, from + first, count - first);
    ring->used += count;
    return count;
}

size_t ring_peek(const struct ring *ring, size_t offset, char *into, size_t count) {
    if (offset >= ring->used) return 0;
    count = least(count, ring->used - offset);
    const size_t begin = (ring->begin + offset) % ring->capacity;
    const size_t first = least(count, ring->capacity - begin);
    memcpy(into, ring->bytes + begin, first);
    memcpy(into + first, ring->bytes, count - first);
    return count;
}

size_t ring_read(struct ring *ring, char *into, size_t count) {
    count = ring_peek(ring, 0, into, count);
    ring->begin = (ring->begin + count) % ring->capacity;
    ring->used -= count;
    return count;
}
