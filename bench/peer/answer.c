/* The least that a page can cost: one thread that answers whatever arrives on a connection with the same bytes, without looking.
   usage: answer PORT FILE */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { events_max = 64, answer_max = 1 << 20 };

static char answer[answer_max];

static void must(int good, const char* what) {
    if (good) return;
    perror(what);
    exit(1);
}

int main(int count, char** arguments) {
    must(count == 3, "usage: answer PORT FILE");
    FILE* file = fopen(arguments[2], "rb");
    must(file != NULL, arguments[2]);
    const size_t size = fread(answer, 1, answer_max, file);
    const int one = 1, listening = socket(AF_INET, SOCK_STREAM, 0), watched = epoll_create1(0);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1])), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    must(bind(listening, (struct sockaddr*)&address, sizeof address) == 0, "bind");
    must(listen(listening, 512) == 0, "listen");
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = listening}}, events[events_max];
    must(epoll_ctl(watched, EPOLL_CTL_ADD, listening, &event) == 0, "epoll_ctl");
    for (;;) {
        const int ready = epoll_wait(watched, events, events_max, -1);
        for (int i = 0; i < ready; ++i) {
            const int fd = events[i].data.fd;
            if (fd == listening) {
                const int peer = accept(listening, NULL, NULL);
                setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                event.data.fd = peer;
                must(epoll_ctl(watched, EPOLL_CTL_ADD, peer, &event) == 0, "epoll_ctl");
                continue;
            }
            char request[4096];
            if (recv(fd, request, sizeof request, 0) <= 0 || send(fd, answer, size, MSG_NOSIGNAL) != (ssize_t)size) close(fd);
        }
    }
}
