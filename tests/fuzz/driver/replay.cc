// Runs a fuzz target over files, without a fuzzer: the seeds, which hold every input that once went wrong, stay tests.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace assay {
void fuzz(std::string_view input);
}

int main(int count, char** arguments) {
    int inputs = 0;
    for (int i = 1; i < count; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator{arguments[i]}) {
            std::ifstream file{entry.path(), std::ios::binary};
            const std::string input{std::istreambuf_iterator<char>{file}, {}};
            std::printf("%s (%zu bytes)\n", entry.path().c_str(), input.size());
            std::fflush(stdout);  // When it dies the last line names the input.
            assay::fuzz(input);
            ++inputs;
        }
    }
    if (inputs == 0) std::fprintf(stderr, "no inputs; name a folder of them\n");
    return inputs == 0 ? 1 : 0;
}
