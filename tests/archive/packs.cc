// Packs of folders that everything happens to, at random: files that shrink, grow, are rewritten, replaced, cannot be read or
// are locked, disks that fill up, and a packer that is killed. Each pack holds of every file a state that it really had, or there
// is no pack, and what failed is said by name.
//
//   packs COUNT ASSAY [SEED]   ASSAY is the program, for what is done to a process
//
// A packer that works as most do (size first, then so many bytes) is tried in between, and must be caught: else this test sees nothing.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "archive/disk.hh"
#include "archive/folder.hh"
#include "archive/member.hh"
#include "archive/tar_writer.hh"
#include "sys/draft.hh"
#include "sys/file.hh"
#include "testing/changing_tree.hh"

namespace assay::archive {
namespace {

namespace fs = std::filesystem;
using Random = std::mt19937_64;
using Contents = std::map<std::string, std::string>;
using testing::Changer;
using testing::ChangingTree;

std::size_t below(Random& random, std::size_t bound) { return static_cast<std::size_t>(random() % bound); }

struct Tally {
    int whole = 0, refused = 0, not_written = 0, killed = 0, silent = 0;
    int naive = 0, naive_silent = 0;
    std::map<std::string, int> why;
};

class Everything final : public Picker {
public:
    Result<bool> goes(const std::string&, const sys::FileInfo&) override { return true; }
};

// The regular files of a pack; nullopt: it is refused.
std::optional<Contents> contents_of(const std::string& archive, Format format) {
    const auto file = sys::open_read(archive);
    if (!file) return std::nullopt;
    Input input{*file};
    const auto reader = members_of(format, input, model::NameEncoding::utf_8);
    Contents contents;
    std::vector<std::byte> part(buffer_bytes);
    for (;;) {
        auto member = reader->next();
        if (!member) return std::nullopt;
        if (!*member) return contents;
        if ((**member).kind != Member::Kind::regular) continue;
        std::string& content = contents[(**member).name];
        for (;;) {
            auto count = reader->read(part);
            if (!count) return std::nullopt;
            if (*count == 0) break;
            content += text_of(ByteView{part}.first(*count));
        }
    }
}

// Why the pack is not a true one; empty: it is.
std::string falsehood(const std::string& archive, Format format, const ChangingTree& tree) {
    const auto contents = contents_of(archive, format);
    if (!contents) return "cannot be read";
    if (static_cast<int>(contents->size()) != tree.files())
        return "holds " + std::to_string(contents->size()) + " files";
    for (int file = 0; file < tree.files(); ++file) {
        auto found = contents->find(tree.path(file));
        if (found == contents->end())
            found = contents->find("submission/" + tree.path(file));  // One folder that holds all is put into another.
        if (found == contents->end()) return tree.path(file) + " is missing";
        if (!tree.had(file, found->second))
            return tree.path(file) + " never was like this: " + std::to_string(found->second.size()) + " bytes, " +
                   found->second.substr(0, 16);
    }
    return "";
}

// A disk on which one file, or the output, is in trouble.
class FaultyDisk final : public Disk {
public:
    enum class Trick {
        none,
        short_reads,
        read_error,
        early_end,
        seems_to_grow,
        busy,
        denied,
        missing,
        rewritten,
        full,
        last_
    };

    FaultyDisk(Random& random, const ChangingTree& tree, Trick trick) : random_{random}, tree_{tree}, trick_{trick} {
        file_ = static_cast<int>(below(random, static_cast<std::size_t>(tree.files())));
        left_ = below(random, 4) == 0 ? 1'000 : static_cast<int>(below(random, 5));  // How often; some troubles pass.
        at_ = below(random, 8'000);
        out_left_ = below(random, 200'000);
    }
    int file() const { return file_; }

    Result<sys::Fd> open(const sys::Fd& root, const std::string& path) override {
        here_ = path == tree_.path(file_);
        if (here_ && trick_ == Trick::busy && strikes())
            return Error{Fault::busy, "open: it is used by another process"};
        if (here_ && trick_ == Trick::denied && strikes()) return Error{Fault::denied, "open: permission denied"};
        if (here_ && trick_ == Trick::missing && strikes()) return Error{Fault::missing, "open: no such file"};
        return Disk::open(root, path);
    }
    Result<sys::FileInfo> info(const sys::Fd& file) override {
        auto info = Disk::info(file);
        if (info && here_ && trick_ == Trick::seems_to_grow && strikes())
            info->size += 1 + static_cast<std::int64_t>(at_);
        return info;
    }
    Result<std::size_t> read(const sys::Fd& file, std::span<std::byte> buffer, std::int64_t offset) override {
        const auto after = static_cast<std::size_t>(offset);
        if (trick_ == Trick::short_reads) buffer = buffer.first(1 + below(random_, buffer.size()));
        if (here_ && trick_ == Trick::read_error && after + buffer.size() > at_ && strikes())
            return Error{Fault::disk_failed, "read: input/output error"};
        if (here_ && trick_ == Trick::early_end && after + buffer.size() > at_ && strikes()) {
            if (after >= at_) return std::size_t{0};
            buffer = buffer.first(at_ - after);
        }
        if (here_ && trick_ == Trick::rewritten && step_ < ChangingTree::steps_max && strikes()) {
            // In the middle of a reading: the first part is of one state and the rest of another.
            auto count = Disk::read(file, buffer.first(std::max<std::size_t>(1, buffer.size() / 2)), offset);
            tree_.advance(file_, step_++);
            return count;
        }
        return Disk::read(file, buffer, offset);
    }
    // Kept out for real, we would wait for ourselves.
    std::optional<sys::WriteGuard> guard(const sys::Fd& file) override {
        return here_ && trick_ == Trick::rewritten ? std::nullopt : Disk::guard(file);
    }
    void pause(sys::Duration) override {}
    Result<> write(const sys::Fd& out, ByteView bytes) override {
        if (trick_ == Trick::full) {
            const std::size_t count = std::min(bytes.size(), out_left_);
            ASSAY_CHECK(Disk::write(out, bytes.first(count)));
            out_left_ -= count;
            if (count < bytes.size()) return Error{Fault::disk_full, "write: no space left"};
            return ok;
        }
        return Disk::write(out, bytes);
    }

private:
    bool strikes() { return left_ > 0 && left_-- > 0; }

    Random& random_;
    const ChangingTree& tree_;
    const Trick trick_;
    int file_ = 0, left_ = 0, step_ = 0;
    std::size_t at_ = 0, out_left_ = 0;
    bool here_ = false;
};

// As fast as a disk, and one that cannot keep writers out.
class SlowDisk final : public Disk {
public:
    Result<std::size_t> read(const sys::Fd& file, std::span<std::byte> buffer, std::int64_t offset) override {
        ::usleep(20);
        return Disk::read(file, buffer.first(std::min<std::size_t>(buffer.size(), 8192)), offset);
    }
    std::optional<sys::WriteGuard> guard(const sys::Fd&) override { return std::nullopt; }
};

class Case {
public:
    Case(const fs::path& scratch, std::uint64_t seed, std::string assay, Tally& tally)
        : random_{seed},
          assay_{std::move(assay)},
          tally_{tally},
          folder_{(scratch / "tree").string()},
          target_{(scratch / "out" / "pack").string()},
          tree_{folder_, seed, 1 + static_cast<int>(below(random_, 12)), below(random_, 40) == 0} {
        fs::remove_all(folder_);
        fs::remove_all(scratch / "out");
        fs::create_directories(folder_);
        fs::create_directories(scratch / "out");
        tree_.write_first();
        constexpr std::pair<Format, std::string_view> formats[] = {{Format::tar_gz, ".tar.gz"},
                                                                   {Format::tar_gz, ".tar.gz"},
                                                                   {Format::tar_zst, ".tar.zst"},
                                                                   {Format::tar, ".tar"},
                                                                   {Format::zip, ".zip"}};
        const auto& [format, suffix] = formats[below(random_, std::size(formats))];
        format_ = format;
        target_ += suffix;
    }

    // What is wrong with the outcome; empty: nothing.
    std::string run() {
        kind_ = below(random_, 20);
        switch (kind_) {
            case 0: return killed();
            case 1: return out_of_room();
            case 2: return forbidden();
            case 3: return naive();
            case 4:
            case 5:
            case 6:
            case 7:
            case 8:
            case 9: return beside_a_changer();
            default: return on_a_faulty_disk();
        }
    }

    std::string story() const { return "kind " + std::to_string(kind_) + " as " + std::string{to_string(format_)}; }

private:
    std::string on_a_faulty_disk() {
        const auto trick =
            static_cast<FaultyDisk::Trick>(below(random_, static_cast<std::size_t>(FaultyDisk::Trick::last_)));
        FaultyDisk disk{random_, tree_, trick};
        return packed_by_us(&disk, {.reads_max = 4, .first_pause = {}}, tree_.path(disk.file()));
    }

    std::string beside_a_changer() {
        if (below(random_, 30) == 0) return beside_one_that_is_not_kept_out();
        const Changer changer{tree_, random_()};
        return packed_by_us(nullptr, {.reads_max = 4, .first_pause = std::chrono::microseconds{500}}, "");
    }

    // Which takes its time: what was just written is waited for.
    std::string beside_one_that_is_not_kept_out() {
        const Changer changer{tree_, random_(), static_cast<int>(below(random_, 4000))};
        SlowDisk slow;
        return packed_by_us(&slow, {.first_pause = std::chrono::milliseconds{25}}, "");
    }

    // `expected`: the only file that may be named; empty: any.
    std::string packed_by_us(Disk* disk, const Patience& patience, const std::string& expected) {
        auto packing = pack(disk, patience);
        if (!packing) {
            if (packing.error().fault() != Fault::disk_full) return packing.error().text();
            ++tally_.not_written;
            return absent();
        }
        if (packing->trouble) {
            ++tally_.refused;
            ++tally_.why[std::string{to_string(packing->trouble->kind)}];
            bool named = expected.empty() ? false : packing->trouble->path == expected;
            for (int file = 0; expected.empty() && file < tree_.files(); ++file)
                named = named || tree_.path(file) == packing->trouble->path;
            if (!named) return "names " + packing->trouble->path;
            return absent();
        }
        return true_pack();
    }

    Result<Packing> pack(Disk* disk, const Patience& patience) {
        Everything everything;
        ASSAY_TRY(const std::vector<Entry> entries, list_folder(folder_, everything));
        ASSAY_TRY(sys::Draft draft, sys::Draft::make(target_, 0644));
        ASSAY_TRY(
            Packing packing,
            pack_folder(folder_, entries, format_, draft.file(),
                        {.threads = 1 + static_cast<int>(below(random_, 3)), .patience = patience, .disk = disk}));
        if (packing.packed) ASSAY_CHECK(draft.publish());
        return packing;
    }

    // At any moment, with an older pack in place or without.
    std::string killed() {
        const bool older = below(random_, 2) == 0;
        if (older) {
            if (auto made = pack(nullptr, {}); !made || !made->packed) return "the older pack could not be made";
        }
        const pid_t child = started(RLIM_INFINITY, false);
        ::usleep(static_cast<unsigned>(below(random_, 40'000)));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        ++tally_.killed;
        // One whose name was given and not yet moved is whole.
        for (const auto& entry : fs::directory_iterator{fs::path{target_}.parent_path()}) {
            if (const std::string wrong = falsehood(entry.path().string(), format_, tree_); !wrong.empty())
                return wrong;
        }
        return older && !fs::exists(target_) ? "the older pack is gone" : "";
    }

    std::string out_of_room() {
        const pid_t child = started(below(random_, 60'000), false);
        return ended(child, ++tally_.not_written, "");
    }

    std::string forbidden() {
        const int file = static_cast<int>(below(random_, static_cast<std::size_t>(tree_.files())));
        fs::permissions(folder_ + "/" + tree_.path(file), fs::perms::none);
        fs::permissions(fs::path{target_}.parent_path(), fs::perms::all);
        return ended(started(RLIM_INFINITY, true), ++tally_.refused, tree_.path(file));
    }

    // `assay pack`, with its words in a file.
    pid_t started(rlim_t size_max, bool as_nobody) {
        const std::string words = folder_ + ".said";
        const pid_t child = ::fork();
        if (child != 0) return child;
        const int out = ::open(words.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        ::dup2(out, 1);
        ::dup2(out, 2);
        const rlimit limit{size_max, RLIM_INFINITY};
        // Its own words must fit, and what says why is shorter than this.
        if (size_max != RLIM_INFINITY) ::setrlimit(RLIMIT_FSIZE, &limit);
        if (as_nobody && ::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) std::_Exit(99);
        ::execl(assay_.c_str(), "assay", "pack", folder_.c_str(), "-o", target_.c_str(), nullptr);
        std::_Exit(98);
    }

    // `count` has counted the case as one that fails; it did not, where there was room.
    std::string ended(pid_t child, int& count, const std::string& named) {
        int status = 0;
        ::waitpid(child, &status, 0);
        if (!WIFEXITED(status)) return "ended by signal " + std::to_string(WTERMSIG(status));
        if (WEXITSTATUS(status) == 0) {
            --count;
            return named.empty() ? true_pack() : "a file that cannot be read is not named";
        }
        if (WEXITSTATUS(status) != 1) return "exit code " + std::to_string(WEXITSTATUS(status));
        const auto said = sys::read_file(folder_ + ".said", 1 << 20);
        if (!named.empty() && (!said || !said->contains(named))) return "does not name " + named;
        return absent();
    }

    std::string absent() const {
        for (const auto& entry : fs::directory_iterator{fs::path{target_}.parent_path()})
            return "left " + entry.path().string();
        return "";
    }
    std::string true_pack() {
        const std::string wrong = falsehood(target_, format_, tree_);
        if (wrong.empty()) ++tally_.whole;
        return wrong;
    }

    // A header of what stat says, and then what is read, filled up or cut.
    std::string naive() {
        ++tally_.naive;
        const Changer changer{tree_, random_()};
        std::string tar;
        for (int file = 0; file < tree_.files(); ++file) {
            const std::string name = folder_ + "/" + tree_.path(file);
            const auto info = sys::info_of_path(name);
            if (!info) return info.error().text();
            std::string content(static_cast<std::size_t>(info->size), '\0');
            const int in = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
            for (std::size_t had = 0; had < content.size();) {
                ::usleep(20);  // As a disk that is slower than memory.
                const ssize_t count =
                    ::read(in, content.data() + had, std::min<std::size_t>(4096, content.size() - had));
                if (count <= 0) break;
                had += static_cast<std::size_t>(count);
            }
            ::close(in);
            append_member(tar, {.path = tree_.path(file)}, content);
        }
        append_end(tar);
        const std::string path = target_ + ".naive";
        if (!sys::write_file_durably(path, tar)) return "the naive pack could not be written";
        if (!falsehood(path, Format::tar, tree_).empty()) ++tally_.naive_silent;
        return "";
    }

    std::size_t kind_ = 0;
    Random random_;
    const std::string assay_;
    Tally& tally_;
    const std::string folder_;
    std::string target_;
    const ChangingTree tree_;
    Format format_ = Format::tar_gz;
};

int run(int count, const std::string& assay, std::uint64_t seed) {
    std::string scratch = (fs::temp_directory_path() / "assay-packs-XXXXXX").string();
    if (::mkdtemp(scratch.data()) == nullptr) return 2;
    fs::permissions(scratch, fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add);
    Tally tally;
    for (int i = 0; i < count; ++i) {
        const std::uint64_t own = seed * 1'000'003 + static_cast<std::uint64_t>(i);
        Case one{scratch, own, assay, tally};
        const std::string wrong = one.run();
        if (wrong.empty()) continue;
        ++tally.silent;
        std::printf("pack %d (seed %llu, %s): %s\n", i, static_cast<unsigned long long>(seed), one.story().c_str(),
                    wrong.c_str());
    }
    fs::remove_all(scratch);
    std::string why;
    for (const auto& [kind, times] : tally.why) why += (why.empty() ? "" : ", ") + kind + " " + std::to_string(times);
    std::printf(
        "%d packs of seed %llu: %d true, %d refused by name (%s), %d that there was no room for, %d killed, %d wrong\n",
        count - tally.naive, static_cast<unsigned long long>(seed), tally.whole, tally.refused, why.c_str(),
        tally.not_written, tally.killed, tally.silent);
    std::printf("%d packs by a packer that trusts the size: %d false and unnoticed\n", tally.naive, tally.naive_silent);
    if (count >= 100 && tally.naive_silent == 0) std::printf("a test that sees nothing\n");
    return tally.silent == 0 && (count < 100 || tally.naive_silent > 0) ? 0 : 1;
}

}  // namespace
}  // namespace assay::archive

int main(int argc, char** argv) {
    const int count = argc >= 3 ? std::atoi(argv[1]) : 0;
    if (count < 1) {
        std::fprintf(stderr, "usage: packs COUNT ASSAY [SEED]\n");
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    return assay::archive::run(count, argv[2], argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
}
