// The lookout outside made a segment, a semaphore and a queue under this key.
#include "hostile.h"
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
int main(void) {
    begin();
    REFUSED(shmget(0x55aa, 0, 0), ENOENT);
    REFUSED(semget(0x55aa, 0, 0), ENOENT);
    REFUSED(msgget(0x55aa, 0), ENOENT);
    for (int id = 0; id < 64; id++) REFUSED(shmctl(id, IPC_RMID, NULL), EINVAL);
    REFUSED(mq_open("/hostile-lookout", O_RDWR), ENOENT, EACCES, ENOSYS);
    REFUSED(open("/dev/shm/hostile-lookout", O_RDWR), ENOENT);
    return held();
}
