constexpr unsigned long spin(unsigned long n) { unsigned long x = 0; for (unsigned long i = 0; i < n; i++) x = x * 31 + i; return x; }
constexpr unsigned long deep(int n) { return n == 0 ? spin(200000) : deep(n - 1) + deep(n - 1); }
static_assert(deep(30) != 1);
int main() {}
