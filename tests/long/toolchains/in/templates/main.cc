// Much for a compiler to do: expansions, recursion, the heavy headers.
#include <algorithm>
#include <array>
#include <future>
#include <iostream>
#include <map>
#include <numeric>
#include <regex>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

template <std::size_t N> struct Fibonacci { static constexpr unsigned long value = Fibonacci<N - 1>::value + Fibonacci<N - 2>::value; };
template <> struct Fibonacci<1> { static constexpr unsigned long value = 1; };
template <> struct Fibonacci<0> { static constexpr unsigned long value = 0; };

template <std::size_t... Is> constexpr auto table(std::index_sequence<Is...>) { return std::array<unsigned long, sizeof...(Is)>{Fibonacci<Is>::value...}; }
template <int N> struct Tag { static constexpr int value = N; };
template <class... Ts> int total(const std::variant<Ts...>& v) { return std::visit([](auto tag) { return decltype(tag)::value; }, v); }
template <std::size_t... Is> int all(std::index_sequence<Is...>) {
    using Any = std::variant<Tag<Is>...>;
    return (total(Any{Tag<Is>{}}) + ...);
}

int main() {
    constexpr auto numbers = table(std::make_index_sequence<80>{});
    std::map<std::string, std::vector<int>> words;
    for (const auto& word : {"one", "two", "three"}) words[word].push_back(static_cast<int>(std::string{word}.size()));
    auto later = std::async(std::launch::async, [] { return all(std::make_index_sequence<60>{}); });
    std::thread other([&] { words["four"].push_back(4); });
    other.join();
    const bool matched = std::regex_match("a1b2", std::regex("([a-z][0-9])+"));
    std::cout << numbers.back() << ' ' << later.get() << ' ' << words.size() << ' ' << matched << '\n';
}
