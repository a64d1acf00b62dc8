char a[1UL << 33] = {1};
int main(void) { return a[0]; }
