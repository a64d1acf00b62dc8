#include "testing/changing_tree.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <vector>

namespace assay::testing {
namespace {

[[noreturn]] void broken(const char* what) {
    std::perror(what);
    std::_Exit(2);
}

int opened(const std::string& path, int flags) {
    const int file = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
    if (file < 0) broken(path.c_str());
    return file;
}

void write_whole(int file, std::string_view bytes) {
    if (::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) broken("write");
}

}  // namespace

ChangingTree::ChangingTree(std::string folder, std::uint64_t seed, int files, bool large)
    : folder_{std::move(folder)}, seed_{seed}, files_{files}, large_{large} {}

std::string ChangingTree::path(int file) const {
    return (file % 3 == 0   ? "src/"
            : file % 3 == 1 ? ""
                            : "docs/deep/er/") +
           std::string{"file-"} + std::to_string(file);
}

std::uint64_t ChangingTree::mixed(int file, int step, int what) const {
    std::uint64_t x = seed_ * 0x9E3779B97F4A7C15u + static_cast<std::uint64_t>(file) * 1'000'003u +
                      static_cast<std::uint64_t>(step) * 97u + static_cast<std::uint64_t>(what);
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;  // The finaliser of splitmix64.
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

ChangingTree::Way ChangingTree::way(int file, int step) const { return static_cast<Way>(mixed(file, step, 1) % 5); }

std::size_t ChangingTree::size(int file, int step) const {
    while (step > 0 && (way(file, step) == Way::in_place || way(file, step) == Way::mapped)) --step;
    if (file == 0 && large_) return (std::size_t{8} << 20) + 1 + mixed(file, step, 2) % 100'000;
    const std::size_t most = mixed(file, step, 3) % 4 == 0 ? 200'000 : 6'000;
    return 16 + mixed(file, step, 2) % most;
}

std::size_t ChangingTree::first_part(int file, int step) const {
    return 16 + mixed(file, step, 4) % (size(file, step) - 15);
}

// "file step " and then lines that depend on both, so that no part of one state is a part of another.
std::string ChangingTree::state(int file, int step) const {
    char head[17];
    std::snprintf(head, sizeof head, "%05d.%09d\n", file, step);
    std::string bytes{head, 16};
    std::uint64_t x = mixed(file, step, 5) | 1;
    const std::size_t wanted = size(file, step);
    bytes.reserve(wanted + 8);
    while (bytes.size() < wanted) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        std::uint64_t word =
            (x >> 16 & 0x0F0F0F0F0F0F0F0Fu) + 0x6161616161616161u;  // Letters, so that it compresses as text does.
        bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    bytes.resize(wanted);
    return bytes;
}

void ChangingTree::write_first() const {
    for (int file = 0; file < files_; ++file) {
        const std::string name = folder_ + "/" + path(file);
        std::filesystem::create_directories(std::filesystem::path{name}.parent_path());
        const int out = opened(name, O_WRONLY | O_CREAT | O_EXCL);
        write_whole(out, state(file, 0));
        ::close(out);
    }
}

void ChangingTree::advance(int file, int step) const {
    const std::string name = folder_ + "/" + path(file);
    const std::string bytes = state(file, step + 1);
    switch (way(file, step + 1)) {
        case Way::in_place: {
            const int out = opened(name, O_WRONLY);
            write_whole(out, bytes);
            ::close(out);
            break;
        }
        case Way::mapped: {
            const int out = opened(name, O_RDWR);
            void* const memory = ::mmap(nullptr, bytes.size(), PROT_READ | PROT_WRITE, MAP_SHARED, out, 0);
            if (memory == MAP_FAILED) broken("mmap");
            ::close(out);  // The mapping alone holds it.
            std::memcpy(memory, bytes.data(), bytes.size());
            ::munmap(memory, bytes.size());
            break;
        }
        case Way::replaced: {
            const std::string other =
                folder_ + ".other";  // Beside the tree: what comes and goes in it is not what is tried here.
            const int out = opened(other, O_WRONLY | O_CREAT | O_TRUNC);
            write_whole(out, bytes);
            ::close(out);
            if (::rename(other.c_str(), name.c_str()) != 0) broken("rename");
            break;
        }
        case Way::shrunk: {
            const int out = opened(name, O_WRONLY);
            if (::ftruncate(out, static_cast<off_t>(first_part(file, step))) != 0) broken("ftruncate");
            if (::ftruncate(out, 0) != 0) broken("ftruncate");
            write_whole(out, bytes);
            ::close(out);
            break;
        }
        case Way::in_two_goes: {
            const int out = opened(name, O_WRONLY | O_TRUNC);
            const std::size_t first = first_part(file, step + 1);
            write_whole(out, std::string_view{bytes}.substr(0, first));
            write_whole(out, std::string_view{bytes}.substr(first));
            ::close(out);
            break;
        }
    }
}

bool ChangingTree::had(int file, const std::string& bytes) const {
    if (bytes.empty()) return true;  // Emptied, before it is written again.
    int number = 0;
    int step = 0;
    if (bytes.size() < 16 || std::sscanf(bytes.substr(0, 16).c_str(), "%5d.%9d", &number, &step) != 2) return false;
    if (number != file || step < 0 || step > steps_max) return false;
    const std::string whole = state(file, step);
    return whole == bytes || (bytes.size() == first_part(file, step) && whole.starts_with(bytes));
}

Changer::Changer(const ChangingTree& tree, std::uint64_t seed, int changes_max) {
    int begun[2];
    if (::pipe2(begun, O_CLOEXEC) != 0) broken("pipe");
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) broken("fork");
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) std::_Exit(0);
        std::mt19937_64 random{seed};
        std::vector<int> steps(static_cast<std::size_t>(tree.files()), 0);
        for (int changes = 0;; ++changes) {
            const auto file = static_cast<std::size_t>(random() % steps.size());
            if (steps[file] < ChangingTree::steps_max) {
                tree.advance(static_cast<int>(file), steps[file]);
                ++steps[file];
            }
            if (changes >= changes_max) ::pause();
            if (changes == 0) write_whole(begun[1], "x");
            if (random() % 4 == 0)
                ::usleep(static_cast<unsigned>(random() % 300));  // A file at rest is to be found now and then.
        }
    }
    char byte = 0;
    if (::read(begun[0], &byte, 1) != 1) broken("read");
    ::close(begun[0]);
    ::close(begun[1]);
}

Changer::~Changer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

}  // namespace assay::testing
