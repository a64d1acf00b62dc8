#include "monitor.h"

#include <inttypes.h>
#include <string.h>

#include "expr.h"

#define LINE_MAX_BYTES 1024
#define WATCHES_MAX 16

struct watch {
    char text[LINE_MAX_BYTES];
    int64_t value;
};

static int64_t registers[REGISTERS];
static struct watch watches[WATCHES_MAX];
static int watch_count;

static void print_value(const char *text, const char *format) {
    const struct result result = evaluate(text, registers);
    if (result.error != NULL) print_error(result);
    else printf(format, result.value);
}

static void add_watch(const char *text) {
    const struct result result = evaluate(text, registers);
    if (result.error != NULL) {
        print_error(result);
        return;
    }
    if (watch_count == WATCHES_MAX) {
        puts("error: too many watches");
        return;
    }
    struct watch *watch = &watches[watch_count++];
    strcpy(watch->text, text); /* both hold a line */
    watch->value = result.value;
    printf("watch %d: %s = %" PRId64 "\n", watch_count, text, result.value);
}

static void check_watches(void) {
    for (int i = 0; i < watch_count; ++i) {
        const struct result result = evaluate(watches[i].text, registers);
        if (result.error != NULL || result.value == watches[i].value) continue;
        printf("watch %d: %s: %" PRId64 " -> %" PRId64 "\n", i + 1, watches[i].text, watches[i].value, result.value);
        watches[i].value = result.value;
    }
}

static void set_register(const char *text) {
    if (text[0] != '$' || text[1] < 'a' || text[1] > 'd' || text[2] != ' ') {
        puts("error: unknown command");
        return;
    }
    const struct result result = evaluate(text + 3, registers);
    if (result.error != NULL) {
        print_error(result);
        return;
    }
    registers[text[1] - 'a'] = result.value;
    check_watches();
}

void run_monitor(FILE *input) {
    char line[LINE_MAX_BYTES];
    while (fgets(line, sizeof line, input) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '\0') continue;
        if (strcmp(line, "q") == 0) return;
        if (strncmp(line, "p ", 2) == 0) print_value(line + 2, "%" PRId64 "\n");
        else if (strncmp(line, "x ", 2) == 0) print_value(line + 2, "0x%016" PRIx64 "\n");
        else if (strncmp(line, "w ", 2) == 0) add_watch(line + 2);
        else if (strncmp(line, "set ", 4) == 0) set_register(line + 4);
        else if (strcmp(line, "regs") == 0) {
            for (int i = 0; i < REGISTERS; ++i) printf("%c = %" PRId64 "\n", 'a' + i, registers[i]);
        } else puts("error: unknown command");
    }
}
