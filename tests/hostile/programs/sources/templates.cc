template <unsigned long N, unsigned long K> struct Tree { static const unsigned long value = Tree<N - 1, 2 * K>::value + Tree<N - 1, 2 * K + 1>::value; };
template <unsigned long K> struct Tree<0, K> { static const unsigned long value = 1; };
int main() { return int(Tree<60, 1>::value); }
