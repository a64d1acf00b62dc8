// Program: what a program that people start is given by its system, as UTF-8: arguments, variables, and somewhere to print.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::sys {

// Once, before anything is printed: what is written and read comes and goes as it is, and a terminal understands what moves a cursor.
void prepare_streams();

// As the system has them: `argc` and `argv` are used where they are whole.
std::vector<std::string> arguments(int argc, char** argv);

// Not set, or set to nothing: nullopt. From any thread: no program of ours sets one.
std::optional<std::string> variable(const char* name);

// What the system itself says of its user's language, beside variables: "zh-CN"; empty: nothing.
std::string user_locale();

// Writes UTF-8 to stdout or stderr. What is not a terminal gets the bytes; a terminal shows the letters, whatever it takes bytes for.
void print(std::FILE*, std::string_view);

}  // namespace assay::sys
