#include "hostile.h"
int main(void) {
    begin();
    for (int family = 0; family < 64; family++) {
        if (family == AF_UNIX || family == AF_INET || family == AF_INET6) continue;
        for (int type = 1; type <= 5; type++) REFUSED(socket(family, type, 0), EAFNOSUPPORT);
        int pair[2];
        REFUSED(socketpair(family, SOCK_STREAM, 0, pair), EAFNOSUPPORT);
    }
    REFUSED(syscall(SYS_socket, 0x100000000L | AF_NETLINK, SOCK_RAW, 0), EAFNOSUPPORT);
    REFUSED(socket(AF_INET, SOCK_RAW, 1), EPERM);
    REFUSED(socket(AF_INET, SOCK_PACKET, 1), EPERM, EAFNOSUPPORT, EINVAL);
    return held();
}
