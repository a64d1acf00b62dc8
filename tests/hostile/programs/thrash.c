// Stays just below its limit and reads a large file over and over: the memory is taken from its own cache, never from others.
#include "hostile.h"
int main(int argc, char **argv) {
    begin();
    char *p = map_anonymous(56 << 20);
    touch(p, 56 << 20);
    const int file = open(argv[argc - 1], O_RDONLY);
    if (file < 0) return 3;
    const off_t size = lseek(file, 0, SEEK_END);
    char *data = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, file, 0);
    for (volatile char sum = 0;;) {
        for (off_t i = 0; i < size; i += 4096) sum += data[i];
        touch(p, 56 << 20);
    }
}
