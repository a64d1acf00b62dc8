#include "expr.h"

#include <stdio.h>

#include "token.h"

struct reader {
    const char *line;
    const char *at;
    struct token token; /* the one to look at */
    const int64_t *registers;
    int depth;
    struct result failure; /* the first one; error is NULL until then */
};

static void advance(struct reader *reader) { reader->token = next_token(reader->line, &reader->at); }

static uint64_t fail(struct reader *reader, const char *error, int column) {
    if (reader->failure.error == NULL) reader->failure = (struct result){.error = error, .column = column};
    return 0;
}

static bool accept_sign(struct reader *reader, char sign) {
    if (reader->token.kind != SIGN || reader->token.sign != sign) return false;
    advance(reader);
    return true;
}

static uint64_t equality(struct reader *reader);

static uint64_t primary(struct reader *reader) {
    const struct token token = reader->token;
    if (token.kind == NUMBER || token.kind == REGISTER) {
        advance(reader);
        return token.kind == NUMBER ? token.value : (uint64_t)reader->registers[token.value];
    }
    if (!accept_sign(reader, '(')) return fail(reader, "bad expression", token.column);
    const uint64_t value = equality(reader);
    if (!accept_sign(reader, ')')) return fail(reader, "bad expression", reader->token.column);
    return value;
}

static uint64_t unary(struct reader *reader) {
    if (reader->depth == DEPTH_MAX) return fail(reader, "too deep", reader->token.column);
    ++reader->depth;
    const uint64_t value = accept_sign(reader, '-') ? 0 - unary(reader) : primary(reader);
    --reader->depth;
    return value;
}

static uint64_t divide(struct reader *reader, char sign, uint64_t left, uint64_t right) {
    const int64_t a = (int64_t)left, b = (int64_t)right;
    if (b == 0) return fail(reader, "division by zero", 0);
    if (b == -1) return sign == '/' ? 0 - left : 0; /* the one quotient that does not fit wraps around */
    return (uint64_t)(sign == '/' ? a / b : a % b);
}

static uint64_t product(struct reader *reader) {
    uint64_t value = unary(reader);
    while (reader->failure.error == NULL) {
        if (accept_sign(reader, '*')) value *= unary(reader);
        else if (accept_sign(reader, '/')) value = divide(reader, '/', value, unary(reader));
        else if (accept_sign(reader, '%')) value = divide(reader, '%', value, unary(reader));
        else break;
    }
    return value;
}

static uint64_t sum(struct reader *reader) {
    uint64_t value = product(reader);
    while (reader->failure.error == NULL) {
        if (accept_sign(reader, '+')) value += product(reader);
        else if (accept_sign(reader, '-')) value -= product(reader);
        else break;
    }
    return value;
}

static uint64_t equality(struct reader *reader) {
    uint64_t value = sum(reader);
    while (reader->failure.error == NULL && (reader->token.kind == EQUAL || reader->token.kind == DIFFERENT)) {
        const bool wanted = reader->token.kind == EQUAL;
        advance(reader);
        value = (value == sum(reader)) == wanted;
    }
    return value;
}

struct result evaluate(const char *text, const int64_t registers[REGISTERS]) {
    struct reader reader = {.line = text, .at = text, .registers = registers};
    advance(&reader);
    const uint64_t value = equality(&reader);
    if (reader.token.kind != END) fail(&reader, "bad expression", reader.token.column);
    if (reader.failure.error != NULL) return reader.failure;
    return (struct result){.value = (int64_t)value};
}

void print_error(struct result result) {
    if (result.column > 0) printf("error: %s at column %d\n", result.error, result.column);
    else printf("error: %s\n", result.error);
}
