/* Hands in small archives, no two alike, over so many kept connections at once, each the next as soon as it has a receipt.
   usage: handin PORT CONNECTIONS SECONDS PEOPLE FIRST
   Prints: receipts, seconds, median and 99th percentile of the wait in ms, and answers that were no receipt. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { block = 512, tar_bytes = 4 * block, answer_max = 8192, waits_max = 4 << 20 };

struct peer {
    int fd;
    size_t got;
    double since;
    char answer[answer_max];
};

static float waits[waits_max];
static long receipts, wrong, serial, people;

static void must(int good, const char* what) {
    if (good) return;
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_tar(unsigned char* tar, long number) {
    memset(tar, 0, tar_bytes);
    snprintf((char*)tar, 100, "note.txt");
    const int size = snprintf((char*)tar + block, block, "small hand-in %ld\n", number);
    snprintf((char*)tar + 100, 8, "0000644");
    snprintf((char*)tar + 108, 8, "0000000");
    snprintf((char*)tar + 116, 8, "0000000");
    snprintf((char*)tar + 124, 12, "%011o", size);
    snprintf((char*)tar + 136, 12, "00000000000");
    memset(tar + 148, ' ', 8);
    tar[156] = '0';
    memcpy(tar + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (int i = 0; i < block; ++i) sum += tar[i];
    snprintf((char*)tar + 148, 7, "%06o", sum);
}

static void hand_in(struct peer* peer) {
    unsigned char request[1024 + tar_bytes];
    const long number = serial++;
    const int head = snprintf((char*)request, 1024,
                              "POST /api/v1/submissions?course=BENCH&module=lab HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                              "Authorization: Bearer TOKEN-OF-PERSON-%05ld\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n",
                              number % people, tar_bytes);
    make_tar(request + head, number);
    must(send(peer->fd, request, (size_t)head + tar_bytes, 0) == head + tar_bytes, "send");
    peer->got = 0;
    peer->since = now();
}

/* Whether a whole answer is there. */
static int whole(struct peer* peer) {
    peer->answer[peer->got] = 0;
    const char* const end = strstr(peer->answer, "\r\n\r\n");
    if (end == NULL) return 0;
    const char* const length = strcasestr(peer->answer, "\r\nContent-Length: ");
    must(length != NULL && length < end, "an answer without a length");
    return peer->got >= (size_t)(end + 4 - peer->answer) + (size_t)atol(length + 18);
}

static int by_size(const void* a, const void* b) { return (*(const float*)a > *(const float*)b) - (*(const float*)a < *(const float*)b); }

int main(int count, char** words) {
    if (count != 6) return 2;
    const int port = atoi(words[1]), connections = atoi(words[2]);
    const double seconds = atof(words[3]);
    people = atol(words[4]);
    serial = atol(words[5]);
    struct peer* const peers = calloc((size_t)connections, sizeof *peers);
    const int poll = epoll_create1(0);
    for (int i = 0; i < connections; ++i) {
        const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        peers[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        must(peers[i].fd >= 0 && connect(peers[i].fd, (const struct sockaddr*)&to, sizeof to) == 0, "connect");
        const int on = 1;
        setsockopt(peers[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &peers[i]};
        must(epoll_ctl(poll, EPOLL_CTL_ADD, peers[i].fd, &event) == 0, "epoll_ctl");
    }
    const double began = now(), until = began + seconds;
    for (int i = 0; i < connections; ++i) hand_in(&peers[i]);
    int open = connections;
    while (open > 0) {
        struct epoll_event events[64];
        const int ready = epoll_wait(poll, events, 64, 60000);
        must(ready > 0, "epoll_wait");
        for (int i = 0; i < ready; ++i) {
            struct peer* const peer = events[i].data.ptr;
            const ssize_t got = recv(peer->fd, peer->answer + peer->got, answer_max - 1 - peer->got, 0);
            must(got > 0, "recv");
            peer->got += (size_t)got;
            if (!whole(peer)) continue;
            if (strncmp(peer->answer, "HTTP/1.1 201 ", 13) == 0) {
                if (receipts < waits_max) waits[receipts] = (float)((now() - peer->since) * 1000);
                ++receipts;
            } else if (wrong++ == 0) {
                fprintf(stderr, "%s\n", peer->answer);
            }
            if (now() < until) hand_in(peer);
            else {
                epoll_ctl(poll, EPOLL_CTL_DEL, peer->fd, NULL);
                --open;
            }
        }
    }
    const double took = now() - began;
    const long kept = receipts < waits_max ? receipts : waits_max;
    qsort(waits, (size_t)kept, sizeof *waits, by_size);
    printf("%ld %.3f %.3f %.3f %ld\n", receipts, took, kept ? waits[kept / 2] : 0, kept ? waits[kept * 99 / 100] : 0, wrong);
    return 0;
}
