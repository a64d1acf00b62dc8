// Patterns: which names a module's `ignore` and `required` mean. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace assay::archive {

// One '/'-separated glob against one path, component by component: * ? [a-z] [!a-z], never across a '/'. Linear in both for
// each star, whatever the pattern.
bool glob_matches(std::string_view glob, std::string_view path);

// A pattern without '/' matches any component; with a trailing '/' only a directory's; with one inside it is a glob from the
// root. Whatever lies below a match matches.
bool ignored(std::span<const std::string> patterns, std::string_view path, bool directory);

}  // namespace assay::archive
