// Loaded by the compiler: it is the compiler now, and as confined.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int plugin_is_GPL_compatible = 1;
int plugin_init(void *info, void *version) {
    (void)info; (void)version;
    char *argv[] = {"/mnt/new-namespaces", NULL}, *nothing[] = {NULL};
    execve(argv[0], argv, nothing);
    return 0;
}
