// Glob: one pattern of an ignore file against one path, as git's wildmatch judges it. Pure; time is at most pattern × text.
#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace assay::client {

constexpr std::size_t pattern_bytes_max = 1024;  // longer than any path that may go

class Glob {
public:
    // * and ? stop at a '/', ** beside slashes does not; sets with ranges, ! or ^, and [:alpha:]; a backslash takes the next
    // byte as it is. Bytes are compared, not letters. What is broken (a set or backslash without its end) matches nothing.
    // Precondition: at most pattern_bytes_max.
    explicit Glob(std::string_view pattern);
    bool matches(std::string_view text) const;

private:
    struct Token {
        enum class Kind : unsigned char { byte, any, set, star, star_star, skip_folders };
        Kind kind = Kind::byte;
        unsigned char byte = 0;
        std::size_t set = 0;  // which of sets_
    };
    using Set = std::bitset<256>;
    using States = std::bitset<pattern_bytes_max + 1>;

    std::size_t add_stars(std::string_view pattern, std::size_t at);
    std::size_t add_set(std::string_view pattern, std::size_t at);
    void enter(States& states, std::size_t at) const;
    bool takes(const Token&, unsigned char) const;

    std::vector<Token> tokens_;
    std::vector<Set> sets_;
    std::string ends_;  // what every match ends with: most names are told apart by it
    bool broken_ = false;
};

}  // namespace assay::client
