// ChangingTree: files whose every state can be told from its bytes, and a process that changes them while they are packed.
//
// A file's state number `step` is bytes that a generator makes of (tree, file, step). From one step to the next a file is
// rewritten in place, through memory mapped from it, replaced under its name, or emptied and written again in two goes, between
// which it is the first part of its state. So what a pack holds of a file is one of its states, or such a part, or torn.
#pragma once

#include <cstdint>
#include <string>

namespace assay::testing {

class ChangingTree {
public:
    // `files` files in `folder`, all at step 0; `large` makes the first larger than what the packer holds in memory.
    ChangingTree(std::string folder, std::uint64_t seed, int files, bool large);

    int files() const { return files_; }
    std::string path(int file) const;  // below the folder
    std::string state(int file, int step) const;
    void write_first() const;
    // Takes the file from its step to the next one.
    void advance(int file, int step) const;
    // Whether these are the bytes of a state that the file had.
    bool had(int file, const std::string& bytes) const;

    static constexpr int steps_max = 4096;

private:
    enum class Way { in_place, mapped, replaced, in_two_goes, shrunk };
    Way way(int file, int step) const;  // from step - 1 to step
    std::size_t size(int file, int step) const;
    std::size_t first_part(int file, int step) const;
    std::uint64_t mixed(int file, int step, int what) const;

    const std::string folder_;
    const std::uint64_t seed_;
    const int files_;
    const bool large_;
};

// A process of its own that advances files of the tree, chosen at random, so often or until it is killed.
class Changer {
public:
    Changer(const ChangingTree&, std::uint64_t seed, int changes_max = 1 << 30);
    ~Changer();  // Kills it.
    Changer(const Changer&) = delete;

private:
    int pid_;
};

}  // namespace assay::testing
