/* What a program makes durable a second that syncs for each receipt by itself, one after the other.
   usage: sync_each FOLDER SECONDS log|file
   log: the bytes behind the others in one file, and one fdatasync: no less is possible. file: a file of its own, fsync, rename, and an
   fsync of the folder. Prints: receipts, seconds. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { receipt_bytes = 2048 };

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

int main(int count, char** words) {
    if (count != 4) return 2;
    must(chdir(words[1]) == 0, words[1]);
    const int files = strcmp(words[3], "file") == 0, folder = open(".", O_RDONLY | O_DIRECTORY);
    const double seconds = atof(words[2]), began = now();
    const int journal = open("log", O_CREAT | O_WRONLY | O_APPEND, 0600);
    must(folder >= 0 && journal >= 0, "open");
    char bytes[receipt_bytes];
    memset(bytes, 'r', sizeof bytes);
    long receipts = 0;
    for (; now() < began + seconds; ++receipts) {
        if (files) {
            char name[32];
            snprintf(name, sizeof name, "%ld", receipts);
            const int file = open("new", O_CREAT | O_TRUNC | O_WRONLY, 0600);
            must(file >= 0 && write(file, bytes, sizeof bytes) == sizeof bytes && fsync(file) == 0 && close(file) == 0, "file");
            must(rename("new", name) == 0 && fsync(folder) == 0, "rename");
        } else {
            must(write(journal, bytes, sizeof bytes) == sizeof bytes && fdatasync(journal) == 0, "log");
        }
    }
    printf("%ld %.3f\n", receipts, now() - began);
    return 0;
}
