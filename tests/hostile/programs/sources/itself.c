#include "itself.c"
#include "itself.c"
int main(void) { return 0; }
