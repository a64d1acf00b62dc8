// Tokens are read aloud, copied from paper and typed on phones: 80 bits in an alphabet without look-alikes.
#include "base/text.hh"
#include "course/course.hh"
#include "sys/random.hh"

namespace assay::course {
namespace {

constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::string_view key_alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t key_size = 24;
constexpr std::size_t groups = 4;
constexpr std::size_t group_size = 4;

std::string grouped(std::string_view digits) {
    std::string token;
    for (std::size_t i = 0; i < groups; ++i) {
        if (i > 0) token += '-';
        token += digits.substr(i * group_size, group_size);
    }
    return token;
}

char as_digit(char c) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') return '0';
    if (c == 'I' || c == 'L') return '1';
    return c;
}

}  // namespace

std::string new_token() { return grouped(sys::random_text(groups * group_size, crockford)); }

std::string new_key() { return sys::random_text(key_size, key_alphabet); }

std::string normal_token(std::string_view typed) {
    std::string digits;
    for (const char c : typed) {
        if (c == '-' || c == ' ') continue;
        digits += as_digit(c);
        if (digits.size() > groups * group_size || !crockford.contains(digits.back())) return std::string{typed};
    }
    return digits.size() == groups * group_size ? grouped(digits) : std::string{typed};
}

}  // namespace assay::course
