// Collision keys: canonical decomposition (NFD), then case folding by upper and lower, per component. Both forms of an accent
// and both cases of a letter give one key, as on the file systems of Windows and macOS.
#include <algorithm>
#include <iterator>
#include <tuple>
#include <vector>

#include "archive/tree.hh"
#include "base/text.hh"

namespace assay::archive {
namespace {

struct Decomposition {
    char32_t from;
    char32_t to[4];  // ends at the first 0
};
struct CombiningClass {
    char32_t first;
    char32_t last;
    int value;
};
struct Folding {
    char32_t first;
    char32_t last;
    char32_t step;
    int by;
};
#include "archive/fold_tables.inc"
#include "archive/unicode_tables.inc"

int class_of(char32_t c) {
    if (c < 0x300) return 0;
    const auto* const range = std::ranges::lower_bound(combining_classes, c, {}, &CombiningClass::last);
    return range != std::end(combining_classes) && range->first <= c ? range->value : 0;
}

void decompose(char32_t c, std::vector<char32_t>& out) {
    constexpr char32_t hangul_first = 0xAC00, hangul_last = 0xD7A3, l_first = 0x1100, v_first = 0x1161, t_first = 0x11A7;
    constexpr char32_t t_count = 28, n_count = 588;
    if (c < 0xC0) {
        out.push_back(c);
    } else if (c >= hangul_first && c <= hangul_last) {
        const char32_t index = c - hangul_first;
        out.push_back(l_first + index / n_count);
        out.push_back(v_first + index % n_count / t_count);
        if (index % t_count != 0) out.push_back(t_first + index % t_count);
    } else if (const auto* const found = std::ranges::lower_bound(decompositions, c, {}, &Decomposition::from);
               found != std::end(decompositions) && found->from == c) {
        for (const char32_t part : found->to) {
            if (part != 0) out.push_back(part);
        }
    } else {
        out.push_back(c);
    }
}

// By upper first, so that letters with several small forms meet.
char32_t fold(char32_t c) {
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    const auto* const range = std::ranges::lower_bound(foldings, c, {}, &Folding::last);
    if (range == std::end(foldings) || c < range->first || (c - range->first) % range->step != 0) return c;
    return static_cast<char32_t>(static_cast<int>(c) + range->by);
}

void append_utf8(std::string& out, char32_t c) {
    const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | c >> 6);
        put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put(0xE0 | c >> 12);
        put(0x80 | (c >> 6 & 0x3F));
        put(0x80 | (c & 0x3F));
    } else {
        put(0xF0 | c >> 18);
        put(0x80 | (c >> 12 & 0x3F));
        put(0x80 | (c >> 6 & 0x3F));
        put(0x80 | (c & 0x3F));
    }
}

}  // namespace

std::string collision_key(std::string_view path) {
    std::vector<char32_t> codes;
    codes.reserve(path.size());
    for (std::size_t at = 0; at < path.size();) decompose(next_code_point(path, at).value_or(0xFFFD), codes);
    // Folding can yield a composed letter only from one that had no decomposition, so decomposing comes first and once.
    std::ranges::transform(codes, codes.begin(), fold);
    std::string key;
    key.reserve(path.size());
    std::vector<std::tuple<int, std::size_t, char32_t>> marks;  // of the letter before: by class, else as they came
    const auto put_marks = [&] {
        std::ranges::sort(marks);
        for (const auto& [rank, index, mark] : marks) append_utf8(key, mark);
        marks.clear();
    };
    for (const char32_t c : codes) {
        if (const int rank = class_of(c); rank != 0) {
            marks.emplace_back(rank, marks.size(), c);
        } else {
            put_marks();
            append_utf8(key, c);
        }
    }
    put_marks();
    return key;
}

}  // namespace assay::archive
