#ifndef FORGE_H
#define FORGE_H

/* Tries every way we could think of to make somebody believe in a result. */
void forge(void);

#endif
