// Writes and rewrites a file without end: `buffered`, `sync` after every block, `direct`, `aio` or `mapped`.
#include "hostile.h"
#include <linux/aio_abi.h>
int main(int argc, char **argv) {
    begin();
    const char *how = argc > 1 ? argv[1] : "buffered";
    const size_t bytes = 8 << 20;
    const int direct = strcmp(how, "direct") == 0 ? O_DIRECT : 0;
    int file = open("storm", O_CREAT | O_RDWR | direct, 0600);
    if (file < 0 && direct) file = open("storm", O_CREAT | O_RDWR, 0600);
    if (file < 0 || ftruncate(file, (off_t)bytes) != 0) return 3;
    char *block;
    if (posix_memalign((void **)&block, 4096, 1 << 20) != 0) return 3;
    memset(block, 'x', 1 << 20);
    if (strcmp(how, "mapped") == 0) {
        char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        for (;;) {
            touch(p, bytes);
            (void)msync(p, bytes, MS_ASYNC);
        }
    }
    if (strcmp(how, "aio") == 0) {
        aio_context_t context = 0;
        if (syscall(SYS_io_setup, 64, &context) != 0) return 3;
        for (;;) {
            struct iocb control = {.aio_fildes = (uint32_t)file, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_buf = (uint64_t)(uintptr_t)block, .aio_nbytes = 1 << 20};
            struct iocb *list[] = {&control};
            struct io_event done;
            if (syscall(SYS_io_submit, context, 1, list) != 1) return 3;
            syscall(SYS_io_getevents, context, 1, 1, &done, NULL);
        }
    }
    for (off_t at = 0;; at = (at + (1 << 20)) % (off_t)bytes) {
        (void)!pwrite(file, block, 1 << 20, at);
        if (strcmp(how, "sync") == 0) {
            fsync(file);
            fdatasync(file);
            sync();
            syncfs(file);
        }
    }
}
