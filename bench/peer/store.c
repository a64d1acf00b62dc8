/* The least that an upload can cost with a hash and a sync: a thread per connection receives what follows the header, as much at once
   as pays, hashes it, writes it to a file whose room was taken before, syncs the file and answers. It looks at nothing, so it is no
   server; it says what is left to save.
   usage: store PORT FOLDER */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { part_max = 2 << 20, step_max = 128 << 10 };  /* a step stays in the processor's cache */

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

static void must(int good, const char* what) {
    if (good) return;
    perror(what);
    exit(1);
}

static size_t step_of(size_t size) { return size < step_max ? size : step_max; }

static void* serve(void* argument) {
    const int peer = (int)(long)argument;
    char name[32], * const part = malloc(part_max);
    snprintf(name, sizeof name, "%d", peer);
    const int file = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    must(part != NULL && file >= 0, name);
    EVP_MD_CTX* const sum = EVP_MD_CTX_new();
    EVP_DigestInit_ex(sum, EVP_sha256(), NULL);
    long left = -1;  /* of the body; -1: inside the header, which comes in one piece from this bench */
    while (left != 0) {
        struct pollfd there = {.fd = peer, .events = POLLIN};
        must(poll(&there, 1, -1) == 1, "poll");
        const ssize_t got = recv(peer, part, part_max - 1, MSG_DONTWAIT);
        if (got <= 0) break;
        part[got] = 0;
        const char* from = part;
        if (left < 0) {
            const char* const length = strstr(part, "Content-Length: "), * const end = strstr(part, "\r\n\r\n");
            must(length != NULL && end != NULL, "header");
            left = atol(length + strlen("Content-Length: "));
            from = end + 4;
            (void)fallocate(file, FALLOC_FL_KEEP_SIZE, 0, left);
        }
        size_t size = (size_t)(part + got - from);
        left -= (long)size;
        for (size_t step; size > 0; from += step, size -= step) {
            step = step_of(size);
            EVP_DigestUpdate(sum, from, step);
            must(write(file, from, step) == (ssize_t)step, "write");
        }
        const int wanted = left < part_max ? (int)left : part_max;
        setsockopt(peer, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted);
    }
    must(fdatasync(file) == 0, "fdatasync");
    (void)send(peer, answer, sizeof answer - 1, MSG_NOSIGNAL);
    EVP_MD_CTX_free(sum);
    free(part);
    unlink(name);
    close(file);
    close(peer);
    return NULL;
}

int main(int count, char** arguments) {
    must(count == 3 && chdir(arguments[2]) == 0, "usage: store PORT FOLDER");
    const int one = 1, listening = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1])), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    must(bind(listening, (struct sockaddr*)&address, sizeof address) == 0, "bind");
    must(listen(listening, 512) == 0, "listen");
    for (;;) {
        const int peer = accept(listening, NULL, NULL);
        pthread_t thread;
        if (peer < 0) continue;
        must(pthread_create(&thread, NULL, serve, (void*)(long)peer) == 0, "pthread_create");
        pthread_detach(thread);
    }
}
