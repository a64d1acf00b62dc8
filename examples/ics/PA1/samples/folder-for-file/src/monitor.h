#ifndef MONITOR_H
#define MONITOR_H

#include <stdio.h>

/* Answers the commands of `input` until `q` or its end. */
void run_monitor(FILE *input);

#endif
