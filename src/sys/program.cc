#include "sys/program.hh"

#include <cstdlib>

namespace assay::sys {

void prepare_streams() {}

std::vector<std::string> arguments(int argc, char** argv) { return {argv, argv + argc}; }

std::optional<std::string> variable(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr && *value != '\0' ? std::optional<std::string>{value} : std::nullopt;
}

std::string user_locale() { return {}; }

void print(std::FILE* stream, std::string_view text) { (void)std::fwrite(text.data(), 1, text.size(), stream); }

}  // namespace assay::sys
