// What it costs to judge an archive that is accepted, in a process of its own and in one that is used again: FILE [ROUNDS]. The two
// take turns, so that what else the machine does meets both; printed are medians of rounds, least and most in brackets.
#include <sys/resource.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "archive/verifiers.hh"
#include "sys/file.hh"

namespace assay {
namespace {

constexpr int archives_each = 200;

// Of this process and of its children that ended.
double cpu_us() {
    double sum = 0;
    for (const auto whose : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage used{};
        ::getrusage(whose, &used);
        for (const timeval& time : {used.ru_utime, used.ru_stime}) sum += static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    }
    return sum;
}

struct Figures {
    std::vector<double> cpu_us;
    std::vector<double> wall_us;
};

std::string shown(std::vector<double> values) {
    std::ranges::sort(values);
    return fmt::format("{:.0f} ({:.0f}-{:.0f})", values[values.size() / 2], values.front(), values.back());
}

Result<> measure(const sys::Fd& archive, int archives_max, Figures& figures) {
    const double cpu_before = cpu_us();
    const auto began = std::chrono::steady_clock::now();
    {
        archive::Verifiers verifiers{{.archives_max = archives_max}};
        for (int i = 0; i < archives_each; ++i) {
            ASSAY_TRY(const archive::Verdict verdict, verifiers.verify(archive, {}, sys::system_clock().now()));
            if (!verdict.manifest) return Error{Fault::invalid, "the archive is refused; measured is what is accepted"};
        }
    }
    const std::chrono::duration<double, std::micro> wall = std::chrono::steady_clock::now() - began;
    figures.wall_us.push_back(wall.count() / archives_each);
    figures.cpu_us.push_back((cpu_us() - cpu_before) / archives_each);
    return ok;
}

Result<> run(const std::string& path, int rounds) {
    ASSAY_TRY(const sys::Fd archive, sys::open_read(path));
    Figures each;
    Figures reused;
    for (int i = 0; i < rounds; ++i) {
        ASSAY_CHECK(measure(archive, 1, each));
        ASSAY_CHECK(measure(archive, archives_each, reused));
    }
    std::string load;
    std::getline(std::ifstream{"/proc/loadavg"}, load);
    ASSAY_TRY(const sys::FileInfo info, sys::info_of(archive));
    fmt::print("{} bytes, {} rounds of {}, load average {}\n", info.size, rounds, archives_each, load);
    fmt::print("  a process each  CPU us {}  wall us {}\n", shown(each.cpu_us), shown(each.wall_us));
    fmt::print("  one used again  CPU us {}  wall us {}\n", shown(reused.cpu_us), shown(reused.wall_us));
    return ok;
}

}  // namespace
}  // namespace assay

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view{argv[1]} == "verifier") return assay::archive::verifier_main();
    if (argc < 2 || argc > 3) {
        fmt::print(stderr, "usage: bench_verifiers FILE [ROUNDS]\n");
        return 2;
    }
    const int rounds = argc == 3 ? std::max(1, std::atoi(argv[2])) : 5;
    if (const auto done = assay::run(argv[1], rounds); !done) {
        fmt::print(stderr, "bench_verifiers: {}\n", done.error().text());
        return 1;
    }
    return 0;
}
