#include "archive/verifiers.hh"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <future>
#include <thread>

extern "C" {
#include <sys/pidfd.h>  // Debian 12's header has no language linkage of its own.
}

#include "archive/tar_builder.hh"
#include "archive/verify.hh"
#include "archive/zip_builder.hh"
#include "base/metrics.hh"
#include "sys/child.hh"
#include "sys/file.hh"
#include "sys/socket.hh"

namespace assay::archive {
namespace {

using namespace std::chrono_literals;

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool under_sanitizer = true;
#else
constexpr bool under_sanitizer = false;
#endif

// --- the confined side: what a parser does that an archive has taken over, and the archive says which

Verdict accepting(std::int64_t entries) {
    Verdict verdict;
    verdict.manifest.emplace().entries = entries;
    return verdict;
}

void wait_a_moment() {
    static int never = 0;
    const timespec moment{.tv_sec = 0, .tv_nsec = 1'000'000};
    ::syscall(SYS_futex, &never, FUTEX_WAIT, 0, &moment, nullptr, 0);
}

void burn(std::chrono::nanoseconds cpu) {
    const auto spent = [] {
        timespec time{};
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
    };
    for (const auto until = spent() + cpu; spent() < until;) {}
}

std::int64_t open_descriptors_above(int last) {
    std::int64_t open = 0;
    char byte = 0;
    for (int fd = last + 1; fd < 256; ++fd) open += ::pread(fd, &byte, 1, 0) >= 0 || errno != EBADF;
    return open;
}

void hold_memory(std::size_t bytes) {
    const std::string held(bytes, 'x');
    [[maybe_unused]] const volatile char seen = held[bytes / 2];
}

Result<Verdict> taken_over(const sys::Fd& archive, const model::UploadRules& rules) {
    static bool poisoned = false;
    std::array<std::byte, 16> head{};
    ASSAY_TRY(const std::size_t count, sys::read_at(archive, head, 0));
    const std::string_view does = text_of(ByteView{head}.first(count));
    if (poisoned) return Verdict{.manifest = {}, .refused = Refused{.fault = ArchiveFault::twice, .arguments = {"what another one sent"}}};
    if (does == "!poison") poisoned = true;
    if (does == "!trap") ::__builtin_trap();
    if (does == "!exit") ::_exit(7);
    if (does == "!spin") burn(1h);
    if (does == "!sleep") for (;;) wait_a_moment();
    if (does == "!eat") hold_memory(1u << 30);
    if (does == "!hoard") hold_memory(40u << 20);
    if (does == "!burn") burn(700ms);
    if (does == "!open") ::open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    if (does == "!socket") ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (does == "!connect") ::connect(3, nullptr, 0);
    if (does == "!lifeline") ::close(4);
    if (does == "!kill") ::kill(::getppid(), SIGKILL);
    if (does == "!chatter") (void)!::write(3, "{}\n{}\n", 6);
    while (does == "!babble") (void)!::write(3, head.data(), head.size());
    if (does == "!names") {
        Verdict verdict = accepting(1);
        verdict.manifest->names_converted = 7;
        return verdict;
    }
    if (does.starts_with('!') && does.size() < head.size()) return accepting(open_descriptors_above(archive.get()));
    while (sys::read_at(archive, head, 0) && head[0] == std::byte{'!'}) wait_a_moment();
    return verify(archive, rules);
}

// --- this side

sys::Fd memory(std::string_view bytes) { return sys::memory_file("archive", bytes_of(bytes), false).value(); }
sys::Fd sound() { return memory(TarBuilder{}.file("a").done()); }
sys::Fd unsafe() { return memory(TarBuilder{}.file("../x").done()); }

// An archive whose judging goes on until it is let go; then it is a sound one.
class Held {
public:
    Held() : bytes_{TarBuilder{}.file("a longer name than any word").done()}, file_{memory("!" + bytes_.substr(1))} {}
    const sys::Fd& file() const { return file_; }
    void let_go() const {
        ASSERT_TRUE(sys::rewind(file_));
        ASSERT_TRUE(sys::write_all(file_, bytes_.substr(0, 1)));
    }

private:
    std::string bytes_;
    sys::Fd file_;
};

sys::TimePoint now() { return sys::system_clock().now(); }
constexpr auto long_enough = 60s;

template <class F>
void await(F is_so) {
    const auto deadline = now() + long_enough;
    while (!is_so()) {
        ASSERT_LT(now(), deadline);
        std::this_thread::yield();
    }
}

Result<Verdict> judged(Verifiers& verifiers, const sys::Fd& archive) { return verifiers.verify(archive, {}, now() + long_enough); }
std::future<Result<Verdict>> begin(Verifiers& verifiers, const sys::Fd& archive) {
    return std::async(std::launch::async, [&] { return judged(verifiers, archive); });
}

// "accepted", the refusal's sentence, or the error's fault.
std::string said(const Result<Verdict>& verdict) {
    if (!verdict) return std::string{to_string(verdict.error().fault())};
    return verdict->refused ? sentence(*verdict->refused) : "accepted";
}

int only_idle(const Verifiers& verifiers) {
    const auto idle = verifiers.present().idle_pids;
    return idle.size() == 1 ? idle.front() : 0;
}
int only_busy(const Verifiers& verifiers) {
    const auto busy = verifiers.present().busy_pids;
    return busy.size() == 1 ? busy.front() : 0;
}

std::uint64_t started() { return metrics::registry().counter("assay_verifiers_started_total", "").value(); }

// Roles start from the running executable: this test program plays them when it is started as one.
__attribute__((constructor)) void play_role(int argc, char** argv) {
    const std::string_view role = argc == 2 ? argv[1] : "";
    if (role == "verifier") std::_Exit(verifier_main(taken_over));
    if (role != "keeper") return;
    // A server that has one verifier idle and one at work, says who they are, and waits for its end.
    Verifiers verifiers{{.processes_max = 2}};
    const sys::Fd held{3};
    const sys::Fd out{4};
    auto first = begin(verifiers, held);
    await([&] { return only_busy(verifiers) != 0; });
    if (!judged(verifiers, sound())) std::_Exit(1);
    const std::array<int, 2> pids{only_busy(verifiers), only_idle(verifiers)};
    if (!sys::write_all(out, ByteView{std::as_bytes(std::span{pids})})) std::_Exit(1);
    for (;;) ::pause();
}

TEST(Verifiers, AnswerAsVerifyDoes) {
    Verifiers verifiers{{}};
    TarBuilder large;
    for (int i = 0; i < 5000; ++i) large.file(fmt::format("w/{:05}", i), "x");
    for (const std::string& bytes : {gzip(large.done()), bzip2(TarBuilder{}.file("a").done()), xz(large.done(), LZMA_CHECK_CRC64, 8), zstd(large.done(), true, 25), TarBuilder{}.file("../x").done(), std::string{},
                                     ZipBuilder{}.file("目录/a", std::string(100'000, 'a')).described("b", "2").link("l", "b").done(), ZipBuilder{}.file("../x").done(),
                                     gzip(TarBuilder{}.file("É").file("é").done())}) {
        const sys::Fd archive = memory(bytes);
        const auto confined = judged(verifiers, archive);
        ASSERT_TRUE(confined) << confined.error().text();
        EXPECT_EQ(answer_to_json(confined), answer_to_json(verify(archive, {})));
    }
}

TEST(Verifiers, FollowTheModulesRulesHoweverLong) {
    Verifiers verifiers{{}};
    model::UploadRules rules;
    rules.required = {"Makefile"};
    for (int i = 0; i < 100; ++i) rules.ignore.push_back(fmt::format("{:01000}", i));
    EXPECT_EQ(said(verifiers.verify(sound(), rules, now() + long_enough)), "required_missing: required 'Makefile'");
    rules.required = {"a"};
    EXPECT_EQ(said(verifiers.verify(sound(), rules, now() + long_enough)), "accepted");
    EXPECT_EQ(said(judged(verifiers, sound())), "accepted");
    rules.ignore.assign(1100, std::string(1000, 'n'));
    EXPECT_EQ(said(verifiers.verify(sound(), rules, now() + long_enough)), "too_large");
}

// Starting a process costs many times what a small archive does.
TEST(Verifiers, OneJudgesUntilItRefusesOrHasJudgedAThousand) {
    Verifiers verifiers{{}};
    EXPECT_EQ(only_idle(verifiers), 0);
    ASSERT_EQ(said(judged(verifiers, sound())), "accepted");
    const int first = only_idle(verifiers);
    ASSERT_NE(first, 0);
    EXPECT_EQ(said(judged(verifiers, sound())), "accepted");
    EXPECT_EQ(only_idle(verifiers), first);

    EXPECT_EQ(said(judged(verifiers, unsafe())), "unsafe: name_upward, entry '../x'");
    EXPECT_EQ(verifiers.present().idle_pids.size(), 0u);
    ASSERT_EQ(said(judged(verifiers, sound())), "accepted");
    const int second = only_idle(verifiers);
    EXPECT_NE(second, first);

    const sys::Fd archive = sound();
    for (int i = 1; i < 999; ++i) ASSERT_EQ(said(judged(verifiers, archive)), "accepted");
    EXPECT_EQ(only_idle(verifiers), second);
    EXPECT_EQ(said(judged(verifiers, archive)), "accepted");
    EXPECT_EQ(verifiers.present().idle_pids.size(), 0u);
}

// A storm of refusals is what a process for each archive would be, and no worse.
TEST(Verifiers, AreNeverMoreThanArchives) {
    Verifiers verifiers{{}};
    std::uint64_t before = started();
    for (int i = 0; i < 10; ++i) ASSERT_NE(said(judged(verifiers, unsafe())), "accepted");
    EXPECT_EQ(started() - before, 10u);
    before = started();
    for (int i = 0; i < 10; ++i) {
        ASSERT_EQ(said(judged(verifiers, sound())), "accepted");
        ASSERT_NE(said(judged(verifiers, unsafe())), "accepted");
    }
    EXPECT_LE(started() - before, 20u);
}

// Whoever it was taken over by cannot have the next one refused, nor tell its own next upload what it saw.
TEST(Verifiers, NothingGoesFromOneArchiveToTheSenderOfAnother) {
    Verifiers verifiers{{}};
    ASSERT_EQ(said(judged(verifiers, memory("!poison"))), "accepted");
    EXPECT_EQ(said(judged(verifiers, sound())), "accepted");
    ASSERT_EQ(said(judged(verifiers, memory("!poison"))), "accepted");
    EXPECT_EQ(said(judged(verifiers, unsafe())), "unsafe: name_upward, entry '../x'");

    // A number that its sender is told is a fresh one's as well.
    ASSERT_EQ(said(judged(verifiers, sound())), "accepted");
    const int used = only_idle(verifiers);
    const auto converted = judged(verifiers, memory("!names"));
    ASSERT_EQ(said(converted), "accepted");
    EXPECT_EQ(converted->manifest->names_converted, 7);
    EXPECT_NE(only_idle(verifiers), used);

    // Nor does it still hold the former archive, or anything but the one before it.
    ASSERT_EQ(said(judged(verifiers, sound())), "accepted");
    const int pid = only_idle(verifiers);
    const auto seen = judged(verifiers, memory("!look"));
    ASSERT_EQ(said(seen), "accepted");
    if (!under_sanitizer) EXPECT_EQ(seen->manifest->entries, 0);
    EXPECT_EQ(only_idle(verifiers), pid);

    // What it said before it was asked is nobody's answer.
    const auto before = started();
    ASSERT_EQ(said(judged(verifiers, memory("!chatter"))), "internal");
    EXPECT_EQ(said(judged(verifiers, sound())), "accepted");
    EXPECT_EQ(started() - before, 2u);  // The used one and the fresh one both chattered.
}

// A death is a refusal when the archive can have caused it, and never more than that: the next archive is judged at once.
TEST(Verifiers, OutliveWhateverAnArchiveDoes) {
    Verifiers verifiers{{.wall_max = 2000ms}};
    const auto then_the_next = [&] { return said(verifiers.verify(sound(), {}, now())); };
    const struct {
        const char* bytes;
        std::string said;
    } table[] = {{"!trap", "damaged: reading_crashed '4'"}, {"!exit", "internal"}, {"!sleep", "busy"}, {"!babble", "internal"}, {"!chatter", "internal"}};
    for (const auto& row : table) {
        EXPECT_EQ(said(judged(verifiers, memory(row.bytes))), row.said) << row.bytes;
        EXPECT_EQ(then_the_next(), "accepted") << row.bytes;
        EXPECT_EQ(said(judged(verifiers, memory(row.bytes))), row.said) << row.bytes << ", in a used one";
        EXPECT_EQ(then_the_next(), "accepted") << row.bytes;
    }
}

TEST(Verifiers, AreConfinedBeforeTheyReadAnArchive) {
    if (under_sanitizer) GTEST_SKIP() << "a sanitizer's run time needs system calls of its own, so nothing is confined under it";
    Verifiers verifiers{{}};
    for (const char* act : {"!open", "!socket", "!connect", "!kill", "!lifeline"}) {
        EXPECT_EQ(said(judged(verifiers, memory(act))), fmt::format("damaged: reading_crashed '{}'", SIGSYS)) << act;
        EXPECT_EQ(said(verifiers.verify(sound(), {}, now())), "accepted") << act;
    }
}

// The bounds are those of one archive: what the former ones cost is not the next one's.
TEST(Verifiers, BoundsHoldForEachArchiveAndNotInSum) {
    if (under_sanitizer) GTEST_SKIP() << "a sanitizer's run time needs more memory and time than any bound";
    Verifiers verifiers{{}};
    EXPECT_EQ(said(judged(verifiers, memory("!spin"))), "damaged: reading_time '1.0'");
    EXPECT_EQ(said(judged(verifiers, memory("!eat"))), "damaged: reading_memory '52 MiB'");
    ASSERT_EQ(said(judged(verifiers, sound())), "accepted");
    const int pid = only_idle(verifiers);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(said(judged(verifiers, memory("!burn"))), "accepted");
        EXPECT_EQ(said(judged(verifiers, memory("!hoard"))), "accepted");
    }
    EXPECT_EQ(only_idle(verifiers), pid);
}

TEST(Verifiers, AsManyAtOnceAsProcessesAndTheRestWait) {
    Verifiers verifiers{{.processes_max = 2}};
    const Held one;
    const Held other;
    auto first = begin(verifiers, one.file());
    auto second = begin(verifiers, other.file());
    await([&] { return verifiers.present().busy_pids.size() == 2; });
    EXPECT_EQ(said(verifiers.verify(sound(), {}, now())), "busy");
    const sys::Fd third_file = sound();
    auto third = begin(verifiers, third_file);
    EXPECT_EQ(third.wait_for(0s), std::future_status::timeout);
    one.let_go();
    EXPECT_EQ(said(first.get()), "accepted");
    EXPECT_EQ(said(third.get()), "accepted");
    EXPECT_EQ(second.wait_for(0s), std::future_status::timeout);
    other.let_go();
    EXPECT_EQ(said(second.get()), "accepted");
    EXPECT_EQ(verifiers.present().idle_pids.size(), 2u);
    EXPECT_EQ(verifiers.present().working, 0u);
}

// Nobody can say whose fault it was: the archive is tried again, and its sender is not refused for it.
TEST(Verifiers, OneThatIsKilledFromOutsideIsReplaced) {
    Verifiers verifiers{{}};
    const Held once;
    auto first = begin(verifiers, once.file());
    const auto kill_the_next = [&](int after) {
        int pid = after;
        await([&] { pid = only_busy(verifiers); return pid != 0 && pid != after; });
        EXPECT_EQ(::kill(pid, SIGKILL), 0);
        return pid;
    };
    const int killed = kill_the_next(0);
    int pid = 0;
    await([&] { pid = only_busy(verifiers); return pid != 0 && pid != killed; });
    // What a terminal or an operator sends to the whole group is not for them.
    once.let_go();
    EXPECT_EQ(said(first.get()), "accepted");
    ASSERT_EQ(only_idle(verifiers), pid);
    EXPECT_EQ(::kill(pid, SIGTERM) + ::kill(pid, SIGINT) + ::kill(pid, SIGHUP), 0);
    EXPECT_EQ(said(judged(verifiers, sound())), "accepted");
    EXPECT_EQ(only_idle(verifiers), pid);

    // Between two archives: nobody notices.
    EXPECT_EQ(::kill(pid, SIGKILL), 0);
    EXPECT_EQ(said(judged(verifiers, sound())), "accepted");

    const Held twice;
    auto second = begin(verifiers, twice.file());
    kill_the_next(kill_the_next(kill_the_next(0)));  // The used one, and two fresh ones.
    const auto verdict = second.get();
    ASSERT_EQ(said(verdict), "busy");
    EXPECT_EQ(verdict.error().text(), "a verifier was killed from outside, twice for one archive");
    EXPECT_EQ(said(judged(verifiers, sound())), "accepted");
}

TEST(Verifiers, StopEndsThemAndEveryWait) {
    Verifiers verifiers{{}};
    const Held held;
    const sys::Fd waiting_file = sound();
    auto working = begin(verifiers, held.file());
    await([&] { return only_busy(verifiers) != 0; });
    auto waiting = begin(verifiers, waiting_file);
    verifiers.stop();
    EXPECT_EQ(said(working.get()), "interrupted");
    EXPECT_EQ(said(waiting.get()), "interrupted");
    EXPECT_EQ(said(judged(verifiers, sound())), "interrupted");
}

// However the server ends, and whatever they are doing: what a hostile archive runs in must not outlive it.
TEST(Verifiers, EndWithTheProcessThatStartedThem) {
    const Held held;
    auto [ours, theirs] = sys::make_pipe().value();
    sys::ChildSpec spec;
    spec.arguments = {"keeper"};
    spec.descriptors = {-1, -1, 2, held.file().get(), theirs.get()};
    sys::Child keeper = sys::Child::start(spec).value();
    theirs.reset();
    std::array<int, 2> pids{};
    ASSERT_EQ(sys::read_some(ours, std::as_writable_bytes(std::span{pids})).value(), sizeof pids);
    const sys::Fd busy{::pidfd_open(pids[0], 0)};
    const sys::Fd idle{::pidfd_open(pids[1], 0)};
    ASSERT_TRUE(busy);
    ASSERT_TRUE(idle);
    EXPECT_TRUE(std::move(keeper).kill_and_wait().signalled);
    EXPECT_TRUE(sys::wait_readable(busy, now() + long_enough).value());
    EXPECT_TRUE(sys::wait_readable(idle, now() + long_enough).value());
}

// Many threads, few processes, and every way an archive can end, mixed.
TEST(Verifiers, AreSafeFromEveryThread) {
    Verifiers verifiers{{.processes_max = 2, .archives_max = 5, .wall_max = 20'000ms}};
    std::vector<std::future<void>> threads;
    for (int t = 0; t < 6; ++t) {
        threads.push_back(std::async(std::launch::async, [&verifiers, t] {
            for (int i = 0; i < 20; ++i) {
                if ((i + t) % 7 == 0) EXPECT_EQ(said(judged(verifiers, unsafe())), "unsafe: name_upward, entry '../x'");
                else if ((i + t) % 11 == 0) EXPECT_EQ(said(judged(verifiers, memory("!exit"))), "internal");
                else EXPECT_EQ(said(judged(verifiers, sound())), "accepted");
                EXPECT_LE(verifiers.present().busy_pids.size(), 2u);
            }
        }));
    }
    for (auto& thread : threads) thread.get();
    EXPECT_EQ(verifiers.present().working, 0u);
}

}  // namespace
}  // namespace assay::archive
