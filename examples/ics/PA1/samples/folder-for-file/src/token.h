#ifndef TOKEN_H
#define TOKEN_H

#include <stdint.h>

enum kind { END, NUMBER, REGISTER, EQUAL, DIFFERENT, SIGN, BAD };

struct token {
    enum kind kind;
    char sign;       /* of SIGN: one of + - * / % ( ) */
    uint64_t value;  /* of NUMBER; of REGISTER its index */
    int column;      /* from 1 */
};

/* Reads the token at *at and moves *at behind it. `line` is where the text begins. */
struct token next_token(const char *line, const char **at);

#endif
