// Descriptors that lie in sockets that lie in sockets, and are closed here.
#include "hostile.h"
static int send_fds(int over, const int *fds, int count) {
    char control[CMSG_SPACE(sizeof(int) * 64)];
    char byte = 'x';
    struct iovec io = {&byte, 1};
    struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
    memcpy(CMSG_DATA(head), fds, sizeof(int) * (size_t)count);
    return (int)sendmsg(over, &message, MSG_DONTWAIT);
}
int main(void) {
    begin();
    long sent = 0;
    int failed = 0;
    for (int round = 0; round < 20000 && failed == 0; round++) {
        int pair[2], fds[16];
        if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0) { failed = errno; break; }
        for (int i = 0; i < 16; i++) fds[i] = pair[i % 2];
        while (failed == 0) {
            if (send_fds(pair[0], fds, 16) < 0) {
                if (errno == EAGAIN || errno == ENOBUFS) break;
                failed = errno;
            } else {
                sent += 16;
            }
        }
        close(pair[0]);
        close(pair[1]);
    }
    HOLDS(failed == ETOOMANYREFS || failed == EMFILE || failed == ENOMEM);
    HOLDS(sent < 100000);
    return held();
}
