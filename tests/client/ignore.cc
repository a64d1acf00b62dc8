// What stays behind, by our rules and by git's own: random trees with random .gitignore files, each path of them judged by both.
//   client_ignore CASES [SEED]: at least so many paths. Exits with 1 at the first tree in which verdict, file or line differ, 77 without git.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>

#include "base/text.hh"
#include "client/ignore.hh"
#include "sys/child.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay {
namespace {

constexpr const char* git = "/usr/bin/git";
constexpr std::size_t output_bytes_max = 16u << 20;
constexpr std::uint64_t seed_default = 20261015;
constexpr int depth_max = 4;
constexpr std::chrono::seconds git_time_max{60};

using Random = std::mt19937_64;

class Maker {
public:
    explicit Maker(std::uint64_t seed) : random_{seed} {}

    int below(int end) { return static_cast<int>(random_() % static_cast<std::uint64_t>(end)); }
    bool one_in(int of) { return below(of) == 0; }

    std::string name() {
        static const std::vector<std::string> names{
            "a",    "b",    "ab",       "foo", "foo.o", "bar",      "abc",  "a.c", "B",  "x y", "x ",
            " ",    "a b ", "\xC3\xA9", "[a]", "a*b",   "\\",       "a\\",  "!a",  "#a", "-",   "a-b",
            "]",    "aaaa", "abab",     "\t",  "a\tb",  "9",        "^",    "?",   "**", "...", "_Z",
            "\x7F", "{a}",  "a]b",      "[",   "\xFF",  "\x80\x81", "a\rb", "\v"};
        if (!one_in(4)) return names[static_cast<std::size_t>(below(static_cast<int>(names.size())))];
        std::string made;
        for (int i = 1 + below(4); i > 0; --i) made += "ab.c-"[below(5)];
        return made == "." || made == ".." ? "dots" : made;
    }

    std::string pattern(const std::vector<std::string>& paths) {
        std::string made = one_in(3) ? near(paths) : invented();
        if (one_in(6)) made = "/" + made;
        if (one_in(5)) made += "/";
        if (one_in(5)) made = "!" + made;
        if (one_in(8)) made += std::string(static_cast<std::size_t>(1 + below(3)), ' ');
        if (one_in(40)) made = "#" + made;
        if (one_in(40)) made = "\\" + made;
        if (one_in(60)) made += "\t";
        if (one_in(60)) made += std::string{"\0x", 2};
        return made;
    }

    std::string rules(const std::vector<std::string>& paths) {
        std::string text = one_in(10) ? "\xEF\xBB\xBF" : "";
        const bool windows = one_in(4);
        for (int i = below(8); i >= 0; --i) {
            text += pattern(paths);
            if (i > 0 || !one_in(3)) text += windows != one_in(10) ? "\r\n" : "\n";
            if (one_in(10)) text += "\n";
        }
        return text;
    }

private:
    std::string invented() {
        static const std::vector<std::string> parts{"a",
                                                    "b",
                                                    "ab",
                                                    "foo",
                                                    "bar",
                                                    ".o",
                                                    ".",
                                                    "*",
                                                    "*",
                                                    "**",
                                                    "**/",
                                                    "/**",
                                                    "/",
                                                    "/",
                                                    "?",
                                                    "?",
                                                    "[ab]",
                                                    "[!a]",
                                                    "[^b]",
                                                    "[a-c]",
                                                    "[]-a]",
                                                    "[[:alpha:]]",
                                                    "[[:space:]]",
                                                    "[![:digit:]_]",
                                                    "[[:punct:]]",
                                                    "[[:cntrl:]a-]",
                                                    "\\",
                                                    "\\*",
                                                    "\\[",
                                                    "\\ ",
                                                    "[",
                                                    "[[:",
                                                    "[[:bad:]]",
                                                    "[a-",
                                                    "[\\]]",
                                                    "[b-\\c]",
                                                    "***",
                                                    "*/**/*",
                                                    "**a",
                                                    "a**",
                                                    "x y",
                                                    " ",
                                                    "\xC3\xA9",
                                                    "[\xC3-\xC4]",
                                                    "-",
                                                    "!",
                                                    "#",
                                                    "^",
                                                    "]",
                                                    "[!-~]",
                                                    "[[:]",
                                                    "[[::]]",
                                                    "[[:upper:][:lower:]]",
                                                    "\\/",
                                                    "//",
                                                    "[/]",
                                                    "\r"};
        std::string made;
        for (int i = below(5); i >= 0; --i)
            made += parts[static_cast<std::size_t>(below(static_cast<int>(parts.size())))];
        return made;
    }
    // Of a path that is there, with parts of it made wild, so that many rules are about something.
    std::string near(const std::vector<std::string>& paths) {
        if (paths.empty()) return "a";
        std::string path = paths[static_cast<std::size_t>(below(static_cast<int>(paths.size())))];
        if (one_in(2)) path = path.substr(path.rfind('/') + 1);
        std::string made;
        for (const char c : path) {
            const int kind = below(16);
            if (kind == 0) made += '*';
            else if (kind == 1) made += '?';
            else if (kind == 2) made += std::string{"["} + c + "x]";
            else if (kind == 3) made += std::string{"\\"} + c;
            else if (kind == 4 && c == '/') made += "/**/";
            else made += c;
        }
        return made;
    }

    Random random_;
};

struct Tree {
    std::vector<std::string> paths;  // parents first
    std::map<std::string, bool> directory;
    std::map<std::string, std::string> rules;  // folder -> text
};

Tree make_tree(Maker& maker) {
    Tree tree;
    std::vector<std::string> folders{""};
    const int size = 20 + maker.below(60);
    for (int i = 0; i < size; ++i) {
        const std::string& parent = folders[static_cast<std::size_t>(maker.below(static_cast<int>(folders.size())))];
        const std::string path = parent.empty() ? maker.name() : parent + "/" + maker.name();
        if (tree.directory.contains(path)) continue;
        const bool directory = maker.one_in(3) && std::ranges::count(path, '/') < depth_max;
        tree.directory[path] = directory;
        tree.paths.push_back(path);
        if (directory) folders.push_back(path);
    }
    for (const std::string& folder : folders) {
        if (!folder.empty() && !maker.one_in(4)) continue;
        std::vector<std::string> below;
        for (const std::string& path : tree.paths) {
            if (folder.empty()) below.push_back(path);
            else if (path.starts_with(folder + "/")) below.push_back(path.substr(folder.size() + 1));
        }
        tree.rules[folder] = maker.rules(below);
    }
    return tree;
}

// "file:line" with a '!' before it where the rule lets the path go; empty: no rule.
using Verdicts = std::map<std::string, std::string>;

std::string shown(const std::string& file, int line, bool stays) {
    return (stays ? "" : "!") + file + ":" + std::to_string(line);
}

// As a walk would: parents first, and what is below a folder that stays, stays by the same rule.
Result<> judge(const Tree& tree, const std::string& folder, client::Ignore& ignore, Verdicts& verdicts) {
    const auto rules = tree.rules.find(folder);
    ASSAY_CHECK(ignore.enter(folder, rules == tree.rules.end() ? "" : rules->second, ""));
    const std::string prefix = folder.empty() ? "" : folder + "/";
    for (const std::string& path : tree.paths) {
        if (!path.starts_with(prefix) || path.find('/', prefix.size()) != std::string::npos) continue;
        const bool directory = tree.directory.at(path);
        const auto ruling = ignore.ruling(path, directory);
        const std::string verdict = ruling ? shown(ruling->file, ruling->line, ruling->stays) : "";
        verdicts[path] = verdict;
        if (!directory) continue;
        if (!ruling || !ruling->stays) {
            ASSAY_CHECK(judge(tree, path, ignore, verdicts));
            continue;
        }
        for (const std::string& below : tree.paths) {
            if (below.starts_with(path + "/")) verdicts[below] = verdict;
        }
    }
    ignore.leave();
    return ok;
}

Result<Verdicts> judged_by_git(const Tree& tree, const std::string& root, const std::string& repository) {
    std::string asked;
    for (const std::string& path : tree.paths) asked += path + '\0';
    ASSAY_TRY(const sys::Fd in, sys::memory_file("paths", bytes_of(asked), true));
    ASSAY_TRY(const sys::Fd out, sys::memory_file("verdicts", {}, false));
    ASSAY_TRY(
        sys::Child child,
        sys::Child::start({.path = git,
                           .arguments = {"-C", root, "check-ignore", "-v", "-n", "-z", "--no-index", "--stdin"},
                           .environment = {"GIT_DIR=" + repository, "GIT_WORK_TREE=" + root, "GIT_CONFIG_NOSYSTEM=1",
                                           "GIT_CONFIG_GLOBAL=/dev/null", "HOME=/nonexistent"},
                           .descriptors = {in.get(), out.get(), 2}}));
    const auto exit = child.wait_until(std::chrono::steady_clock::now() + git_time_max);
    if (!exit || exit->signalled || exit->code > 1) return Error{Fault::system, "git check-ignore failed"};
    ASSAY_CHECK(sys::rewind(out));
    ASSAY_TRY(const std::string text, sys::read_all(out, output_bytes_max));
    const auto fields = split(text, '\0');
    Verdicts verdicts;
    for (std::size_t i = 0; i + 3 < fields.size(); i += 4) {
        const bool none = fields[i].empty();
        verdicts[std::string{fields[i + 3]}] =
            none ? ""
                 : shown(std::string{fields[i]}, std::atoi(std::string{fields[i + 1]}.c_str()),
                         !fields[i + 2].starts_with('!'));
    }
    return verdicts;
}

Result<> write(const Tree& tree, const std::string& root) {
    ASSAY_CHECK(sys::make_directory(root));
    for (const std::string& path : tree.paths) {
        if (tree.directory.at(path)) {
            ASSAY_CHECK(sys::make_directory(root + "/" + path));
        } else {
            ASSAY_TRY([[maybe_unused]] const sys::Fd file, sys::create_exclusive(root + "/" + path));
        }
    }
    for (const auto& [folder, text] : tree.rules) {
        ASSAY_TRY(const sys::Fd file,
                  sys::create_exclusive(root + "/" + (folder.empty() ? "" : folder + "/") + ".gitignore"));
        ASSAY_CHECK(sys::write_all(file, text));
    }
    return ok;
}

struct Counts {
    std::size_t cases = 0, ruled = 0, differ = 0;
};

Result<> compare(const Tree& tree, std::uint64_t seed, const std::string& folder, Counts& counts) {
    const std::string root = folder + "/tree";
    ASSAY_CHECK(write(tree, root));
    client::Ignore ignore;
    Verdicts ours;
    ASSAY_CHECK(judge(tree, "", ignore, ours));
    ASSAY_TRY(const Verdicts theirs, judged_by_git(tree, root, folder + "/git"));
    ASSAY_CHECK(sys::remove_tree(root));
    for (const std::string& path : tree.paths) {
        ++counts.cases;
        const auto found = theirs.find(path);
        const std::string their = found == theirs.end() ? "(not answered)" : found->second;
        counts.ruled += !their.empty();
        if (ours[path] == their) continue;
        ++counts.differ;
        std::printf("seed %llu: '%s': ours '%s', git's '%s'\n", static_cast<unsigned long long>(seed),
                    escaped(path).c_str(), escaped(ours[path]).c_str(), escaped(their).c_str());
    }
    if (counts.differ > 0) {
        for (const auto& [where, text] : tree.rules)
            std::printf("  %s/.gitignore:\n%s\n", escaped(where).c_str(), escaped(text, 5000).c_str());
    }
    return ok;
}

Result<Counts> run(std::size_t cases, std::uint64_t seed) {
    const std::string folder =
        std::filesystem::temp_directory_path() / ("assay-test-" + sys::random_text(12, "abcdefghijklmnop"));
    struct Cleanup {
        const std::string& folder;
        ~Cleanup() { (void)sys::remove_tree(folder); }
    } cleanup{folder};
    ASSAY_CHECK(sys::make_directory(folder));
    ASSAY_TRY(sys::Child init, sys::Child::start({.path = git,
                                                  .arguments = {"init", "-q", "--bare", folder + "/git"},
                                                  .environment = {"GIT_CONFIG_NOSYSTEM=1", "HOME=/nonexistent"},
                                                  .descriptors = {-1, -1, 2}}));
    if (std::move(init).wait().code != 0) return Error{Fault::system, "git init failed"};
    Counts counts;
    for (; counts.cases < cases && counts.differ == 0; ++seed) {
        Maker maker{seed};
        ASSAY_CHECK(compare(make_tree(maker), seed, folder, counts));
    }
    return counts;
}

}  // namespace
}  // namespace assay

int main(int argc, char** argv) {
    using namespace assay;
    if (!std::filesystem::exists(git)) {
        std::printf("SKIPPED: %s is not installed\n", git);
        return 77;
    }
    const std::size_t cases = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 4000;
    const auto counts = run(cases, argc > 2 ? std::strtoull(argv[2], nullptr, 10) : seed_default);
    if (!counts) {
        std::printf("%s\n", counts.error().text().c_str());
        return 1;
    }
    std::printf("%zu paths, a rule about %zu of them, %zu differ\n", counts->cases, counts->ruled, counts->differ);
    return counts->differ == 0 && counts->ruled * 10 >= counts->cases ? 0 : 1;  // Agreeing on nothing is no agreement.
}
