// More arguments than fit.
#include "hostile.h"
int main(int argc, char **argv) {
    begin();
    char *nothing[] = {NULL};
    static char *many[65];
    char *text = malloc(130000);
    memset(text, 'x', 129999);
    text[129999] = 0;
    for (int i = 0; i < 64; i++) many[i] = text;
    REFUSED(execve("/bin/true", many, nothing), E2BIG);
    char *single[] = {"x", NULL, NULL};
    single[1] = malloc(140000);
    memset(single[1], 'x', 139999);
    single[1][139999] = 0;
    REFUSED(execve("/bin/true", single, nothing), E2BIG);
    return held();
}
