// Memory that no process needs to map: memfd, POSIX and System V shared memory, and what it leaves behind.
#include "hostile.h"
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/msg.h>
#include <sys/shm.h>
int main(int argc, char **argv) {
    begin();
    static char block[1 << 20];
    (void)semget(4711, 1, IPC_CREAT | 0666);
    (void)msgget(4711, IPC_CREAT | 0666);
    const char *how = argc > 1 ? argv[1] : "memfd";
    for (int i = 0;; i++) {
        if (strcmp(how, "sysv") == 0) {
            const int id = shmget(IPC_PRIVATE, sizeof block, IPC_CREAT | 0600);
            char *p = id < 0 ? (char *)-1 : shmat(id, NULL, 0);
            if (p == (char *)-1) return 3;
            touch(p, sizeof block);
            shmdt(p);
        } else if (strcmp(how, "posix") == 0) {
            char name[32];
            snprintf(name, sizeof name, "/bomb%d", i);
            const int file = shm_open(name, O_CREAT | O_RDWR, 0600);
            if (file < 0 || write(file, block, sizeof block) <= 0) return 3;
            close(file);
        } else {
            const int file = memfd_create("bomb", 0);
            if (file < 0 || write(file, block, sizeof block) <= 0) return 3;
        }
    }
}
