// How many small hand-ins a second the store makes durable: each a submission and its job, decided and committed as an upload's
// are, without archive and network. DIRECTORY [SECONDS]: makes a database there (it must not exist), and prints one line each for
// one writer, 64 and 512 changes under way, the last also beside readers that never pause.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "store/store.hh"
#include "sys/file.hh"

namespace assay {
namespace {

using Steady = std::chrono::steady_clock;

std::string digits_of(int number) {
    std::string digits = std::to_string(number);
    return std::string(16 - digits.size(), '0') + digits;
}

class Bench {
public:
    Bench(store::Store& store, std::string log) : store_{store}, log_{std::move(log)} {}

    Result<> prepare() {
        return store_.write_and_wait([](store::Tx& tx) -> Result<> {
            ASSAY_CHECK(tx.put_course({CourseId{"C"}, "Course", "UTC", "en", ""}));
            ASSAY_TRY(const RevisionId id, tx.add_revision({{}, CourseId{"C"}, ModuleId{"M"}, 1, std::string(64, 'd'), "{}", 7}));
            ASSAY_CHECK(tx.put_module({CourseId{"C"}, ModuleId{"M"}, "Module", false, id}));
            for (int i = 0; i < people; ++i) {
                store::Participant who;
                who.course = CourseId{"C"};
                who.id = ParticipantId{std::to_string(i)};
                ASSAY_CHECK(tx.put_participant(who));
            }
            return ok;
        });
    }

    void run(int under_way, int readers, std::chrono::seconds length) {
        done_ = 0;
        failed_ = 0;
        reads_ = 0;
        log_bytes_most_ = 0;
        const auto began = Steady::now();
        until_ = began + length;
        open_ = under_way;
        std::vector<std::thread> reading;
        for (int i = 0; i < readers; ++i) reading.emplace_back([this] { read(); });
        for (int i = 0; i < under_way; ++i) next();
        while (open_ != 0) {
            if (const auto info = sys::info_of_path(log_)) log_bytes_most_ = std::max(log_bytes_most_, info->size);
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
        for (std::thread& thread : reading) thread.join();
        const double seconds = std::chrono::duration<double>(Steady::now() - began).count();
        fmt::print("{:>4} under way, {} readers: {:>7.0f} receipts/s, mean wait {:.1f} ms, {} failed, {:.0f} reads/s, log at most {} MiB\n",
                   under_way, readers, static_cast<double>(done_) / seconds,
                   1000.0 * under_way * seconds / static_cast<double>(std::max<std::int64_t>(done_, 1)), failed_.load(),
                   static_cast<double>(reads_) / seconds, log_bytes_most_ >> 20);
    }

private:
    static constexpr int people = 300;

    void next() {
        const int number = ++number_;
        store_.write(
            [number](store::Tx& tx) -> Result<> {
                const ParticipantId who{std::to_string(number % people)};
                ASSAY_CHECK(tx.participant(CourseId{"C"}, who));
                ASSAY_CHECK(tx.submissions(CourseId{"C"}, ModuleId{"M"}, who, 20));
                store::Submission s;
                s.id = SubmissionId{digits_of(number)};
                s.course = CourseId{"C"};
                s.module = ModuleId{"M"};
                s.participant = who;
                s.revision = RevisionId{1};
                s.sha256 = std::string(64, 'a');
                s.size = 1;
                s.receipt = std::string(600, 'r');
                ASSAY_CHECK(tx.add_submission(s));
                store::Job job;
                job.submission = s.id;
                ASSAY_CHECK(tx.add_job(job));
                return ok;
            },
            [this](const Result<>& result) {
                ++(result ? done_ : failed_);
                if (Steady::now() < until_) next();
                else --open_;
            },
            store::Need::ordinary);
    }

    void read() {
        while (Steady::now() < until_) {
            (void)store_.read([this](store::Reading& reading) -> Result<> {
                ASSAY_CHECK(reading.submissions(CourseId{"C"}, ModuleId{"M"}, ParticipantId{std::to_string(++reads_ % people)}, 20));
                return ok;
            });
        }
    }

    store::Store& store_;
    const std::string log_;
    Steady::time_point until_;
    std::atomic<int> number_{0};
    std::atomic<std::int64_t> done_{0};
    std::atomic<std::int64_t> failed_{0};
    std::atomic<std::int64_t> reads_{0};
    std::atomic<int> open_{0};
    std::int64_t log_bytes_most_ = 0;
};

Result<> bench(const std::string& directory, std::chrono::seconds length) {
    ASSAY_CHECK(sys::make_directory(directory));
    const std::string path = directory + "/assay.db";
    if (sys::info_of_path(path)) return Error{Fault::conflict, path + " is there already"};
    ASSAY_TRY(const auto store, store::open_sqlite({.path = path}));
    Bench bench{*store, path + "-wal"};
    ASSAY_CHECK(bench.prepare());
    bench.run(1, 0, length);
    bench.run(64, 0, length);
    bench.run(512, 0, length);
    bench.run(512, 4, length);
    return ok;
}

}  // namespace
}  // namespace assay

int main(int count, char** arguments) {
    if (count < 2 || count > 3) {
        fmt::print(stderr, "usage: bench_receipts DIRECTORY [SECONDS]\n");
        return 2;
    }
    const int seconds = count == 3 ? std::atoi(arguments[2]) : 5;
    if (const auto done = assay::bench(arguments[1], std::chrono::seconds{seconds}); !done) {
        fmt::print(stderr, "bench_receipts: {}\n", done.error().text());
        return 1;
    }
    return 0;
}
