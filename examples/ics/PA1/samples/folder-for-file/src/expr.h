#ifndef EXPR_H
#define EXPR_H

#include <stdbool.h>
#include <stdint.h>

#define REGISTERS 4
#define DEPTH_MAX 200

struct result {
    int64_t value;
    const char *error; /* NULL when there is a value */
    int column;        /* of the error; 0 when it has no place */
};

struct result evaluate(const char *text, const int64_t registers[REGISTERS]);

/* Prints the error of a result on a line of its own. */
void print_error(struct result result);

#endif
