#include "hostile.h"
int main(void) { begin(); spin_for_ever(); }
