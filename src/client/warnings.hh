// Warnings: what in a hand-in may not be what its participant means. Never a reason to refuse. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "archive/archive.hh"

namespace assay::client {

struct Warning {
    enum class Kind {
        crlf_script,    // begins with #!, lines end in CR LF
        crlf_makefile,
        product,        // made by a compiler or the like
        windows_name,   // a name that Windows cannot have
        kept_back,      // stays although a `required` glob means it; others that go fit the glob as well
    };
    Kind kind = Kind::product;
    std::string path;        // the first of them
    std::int64_t count = 1;
    std::int64_t size = 0;   // of all of them
    std::string rule;  // product: the line of an ignore file that leaves them behind; kept_back: "file:line: rule"
};
std::string_view to_string(Warning::Kind);

// "/src/a\*b": the line of an ignore file that means this path and nothing else.
std::string rule_for(std::string_view path, bool directory);

// Collects while files go by.
class Watch {
public:
    // What the module requires is no mere product.
    explicit Watch(std::vector<std::string> required) : required_{std::move(required)} {}
    // `meant`: a rule has it back, so it is no product left behind by chance.
    void see(const archive::Entry&, std::string_view content, bool meant);  // of a large file, how its content begins
    // Of these names, and of what was seen; products last, the largest first.
    std::vector<Warning> warnings(const std::vector<archive::Entry>&) const;

private:
    void product(const std::string& rule, const archive::Entry&);

    std::vector<std::string> required_;
    std::vector<Warning> line_ends_;
    std::map<std::string, Warning> products_;  // by rule
};

}  // namespace assay::client
