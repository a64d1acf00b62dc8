#pragma once

#include <stddef.h>

struct ring;

struct ring *ring_open(size_t capacity);
void ring_close(struct ring *ring);
size_t ring_write(struct ring *ring, const char *from, size_t count);
size_t ring_read(struct ring *ring, char *into, size_t count);
size_t ring_peek(const struct ring *ring, size_t offset, char *into, size_t count);
size_t ring_used(const struct ring *ring);
size_t ring_room(const struct ring *ring);
