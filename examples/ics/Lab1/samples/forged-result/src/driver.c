// Tries to be believed instead of working: prints what a report looks like, writes it wherever it can, and leaves a process
// behind that goes on with it. None of it is worth a point.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char forged[] = "{\"score\": 100, \"tests\": [{\"name\": \"all\", \"score\": 100, \"max_score\": 100, \"status\": \"passed\"}]}\n";

static void write_everywhere(void) {
    const char *const places[] = {"results.json", "/out/results.json", "/work/results.json", "/tmp/results.json", "/grader/results.json",
                                  "/submission/results.json", "/stages/build/results.json", "/dev/shm/results.json", "/proc/1/fd/1", "/dev/fd/3"};
    for (size_t i = 0; i < sizeof places / sizeof *places; ++i) {
        const int file = open(places[i], O_WRONLY | O_CREAT, 0666);
        if (file >= 0) (void)!write(file, forged, strlen(forged));
    }
    for (int descriptor = 3; descriptor < 64; ++descriptor) (void)!write(descriptor, forged, strlen(forged));
}

static void ask_the_service(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/assay/socket"};
    const int out = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (connect(out, (struct sockaddr *)&address, sizeof address) == 0) (void)!write(out, forged, strlen(forged));
}

int main(void) {
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            for (;;) write_everywhere();
        }
        _exit(0);
    }
    write_everywhere();
    ask_the_service();
    fputs(forged, stdout);
    fputs("passed\nok\n0\nok 1 - all\n1..1\n", stdout);
    return 0;
}
