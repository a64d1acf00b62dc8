#include "token.h"

#include <ctype.h>
#include <string.h>

static int digit_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 99;
}

static uint64_t read_number(const char **at) {
    uint64_t value = 0;
    int base = 10;
    if ((*at)[0] == '0' && (*at)[1] == 'x' && digit_value((*at)[2]) < 16) {
        base = 16;
        *at += 2;
    }
    for (; digit_value(**at) < base; ++*at) value = value * (uint64_t)base + (uint64_t)digit_value(**at);
    return value;
}

struct token next_token(const char *line, const char **at) {
    while (**at == ' ' || **at == '\t') ++*at;
    struct token token = {.kind = BAD, .column = (int)(*at - line) + 1};
    const char c = **at;
    if (c == '\0') {
        token.kind = END;
    } else if (isdigit((unsigned char)c)) {
        token.kind = NUMBER;
        token.value = read_number(at);
    } else if (c == '$' && (*at)[1] >= 'a' && (*at)[1] <= 'd') {
        token.kind = REGISTER;
        token.value = (uint64_t)((*at)[1] - 'a');
        *at += 2;
    } else if ((c == '=' || c == '!') && (*at)[1] == '=') {
        token.kind = c == '=' ? EQUAL : DIFFERENT;
        *at += 2;
    } else if (strchr("+-*/%()", c) != NULL) {
        token.kind = SIGN;
        token.sign = c;
        ++*at;
    }
    return token;
}
