// The writer: one thread takes what is queued, runs each change in a savepoint of one transaction, commits, and only then
// answers. It never waits for company: while one group is being synced the next one gathers by itself. A group ends when
// nothing is queued, at `group_changes_max`, or after `group_time_max`.
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/assert.hh"
#include "base/log.hh"
#include "base/metrics.hh"
#include "store/sqlite/changes.hh"
#include "store/sqlite/migrations.hh"
#include "store/store.hh"
#include "sys/file.hh"

namespace assay::store {
namespace {

using sqlite::Changes;
using sqlite::Database;
using sqlite::Queries;

constexpr int log_pages_max = 1000;                        // of the write-ahead log before it is moved into the file
constexpr std::size_t readers_max = 8;                     // connections; made when first needed
constexpr std::chrono::seconds reader_wait_max{10};        // for a free one
constexpr double group_bounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
constexpr double commit_bounds_s[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};

class Readers {
public:
    explicit Readers(std::string path) : path_{std::move(path)} {}

    Result<> read(const Store::Query& query) {
        ASSAY_TRY(std::unique_ptr<Database> database, take());
        auto result = run(*database, query);
        give_back(database->disk_failed() || database->in_transaction() ? nullptr : std::move(database));
        return result;
    }

private:
    static Result<> run(Database& database, const Store::Query& query) {
        ASSAY_CHECK(database.script("BEGIN"));
        Queries<Reading> reading{database};
        auto result = query(reading);
        ASSAY_CHECK(database.script("ROLLBACK"));
        return result;
    }

    Result<std::unique_ptr<Database>> take() {
        {
            std::unique_lock lock{mutex_};
            const auto available = [this] { return !idle_.empty() || open_ < readers_max; };
            if (!free_.wait_for(lock, reader_wait_max, available)) {
                return Error{Fault::busy, "all " + std::to_string(readers_max) + " reading connections are in use"};
            }
            if (!idle_.empty()) {
                auto database = std::move(idle_.back());
                idle_.pop_back();
                return database;
            }
            ++open_;
        }
        auto opened = Database::open(path_, Database::Access::read);
        if (opened) return std::make_unique<Database>(std::move(*opened));
        give_back(nullptr);
        return opened.take_error();
    }

    void give_back(std::unique_ptr<Database> database) {  // nullptr: it was closed
        {
            const std::lock_guard lock{mutex_};
            if (database) idle_.push_back(std::move(database));
            else --open_;
        }
        free_.notify_one();
    }

    std::string path_;
    std::mutex mutex_;
    std::condition_variable free_;
    std::vector<std::unique_ptr<Database>> idle_;
    std::size_t open_ = 0;
};

class SqliteStore final : public Store {
public:
    SqliteStore(StoreConfig config, Database database)
        : config_{std::move(config)}, database_{std::move(database)}, readers_{config_.path}, writer_{[this] { run(); }} {}

    ~SqliteStore() override {
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
        }
        wake_.notify_one();
        writer_.join();
    }

    void write(Change change, Done done) override {
        if (auto refusal = enqueue(change, done)) done(std::move(*refusal));
    }

    Result<> read(const Query& query) override { return readers_.read(query); }

private:
    struct Entry {
        Change change;
        Done done;
        Result<> result{};
    };

    std::optional<Error> enqueue(Change& change, Done& done) {
        {
            const std::lock_guard lock{mutex_};
            if (stopping_) return Error{Fault::interrupted, "the store is closing"};
            if (failure_) return failure_;
            if (queue_.size() >= changes_waiting_max) {
                return Error{Fault::busy, std::to_string(changes_waiting_max) + " changes wait to be written"};
            }
            queue_.push_back({std::move(change), std::move(done)});
        }
        wake_.notify_one();
        return std::nullopt;
    }

    std::optional<Entry> next() {
        const std::lock_guard lock{mutex_};
        if (queue_.empty()) return std::nullopt;
        Entry entry = std::move(queue_.front());
        queue_.pop_front();
        return entry;
    }

    void run() {
        for (;;) {
            {
                std::unique_lock lock{mutex_};
                wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
                if (queue_.empty()) return;
            }
            write_group();
        }
    }

    void write_group() {
        std::vector<Entry> group;
        const auto written = failure_ ? Result<>{*failure_} : change_and_commit(group);
        if (!written) {
            if (database_.in_transaction()) (void)database_.script("ROLLBACK");
            if (group.empty()) take_group(group);
            // A full disk was met before any sync, and a busy file before anything: both leave a store that can be trusted.
            const Fault fault = written.error().fault();
            const bool harmless = !database_.disk_failed() && (fault == Fault::disk_full || fault == Fault::busy);
            if (!harmless && !failure_) fail(written.error());
        }
        for (Entry& entry : group) {
            if (!written && entry.result) entry.result = written.error();
            entry.done(std::move(entry.result));
        }
        if (failure_) return;
        if (const auto moved = database_.checkpoint_if_longer_than(log_pages_max); !moved) fail(moved.error());
    }

    // An error here refuses the whole group; `group` holds every change that was taken from the queue.
    Result<> change_and_commit(std::vector<Entry>& group) {
        ASSAY_CHECK(database_.script("BEGIN IMMEDIATE"));
        const auto deadline = std::chrono::steady_clock::now() + group_time_max;
        while (group.size() < group_changes_max && std::chrono::steady_clock::now() < deadline) {
            auto entry = next();
            if (!entry) break;
            group.push_back(std::move(*entry));
            ASSAY_CHECK(change_in_savepoint(group.back()));
        }
        return commit(group.size());
    }

    Result<> commit(std::size_t changes) {
        const auto began = std::chrono::steady_clock::now();
        auto committed = database_.script("COMMIT");
        seconds_.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
        changes_.observe(static_cast<double>(changes));
        return committed;
    }

    // The change's own error goes into its entry; what is returned is one after which the transaction cannot go on.
    Result<> change_in_savepoint(Entry& entry) {
        ASSAY_CHECK(database_.script("SAVEPOINT change"));
        Changes changes{database_};
        entry.result = entry.change(changes);
        entry.change = nullptr;
        if (!database_.in_transaction() || database_.disk_failed()) {  // SQLite gave the whole transaction up.
            auto reason = entry.result ? Error{Fault::disk_failed, "sqlite: the transaction was given up"} : entry.result.error();
            entry.result = ok;  // Everyone in the group gets the same answer.
            return reason;
        }
        if (!entry.result) ASSAY_CHECK(database_.script("ROLLBACK TO change"));
        return database_.script("RELEASE change");
    }

    void take_group(std::vector<Entry>& group) {
        while (group.size() < group_changes_max) {
            auto entry = next();
            if (!entry) return;
            group.push_back(std::move(*entry));
        }
    }

    void fail(const Error& error) {
        {
            const std::lock_guard lock{mutex_};
            failure_.emplace(Fault::disk_failed, "the store takes no more changes: " + error.text());
        }
        log::error("store.failed", {{"error", error.text()}});
        if (config_.on_failure) config_.on_failure(error);
    }

    metrics::Histogram& changes_ =
        metrics::registry().histogram("assay_store_commit_changes", "Changes committed together.", group_bounds);
    metrics::Histogram& seconds_ =
        metrics::registry().histogram("assay_store_commit_seconds", "How long a COMMIT took, its sync included.", commit_bounds_s);
    StoreConfig config_;
    Database database_;                 // the writer thread's alone
    Readers readers_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Entry> queue_;
    bool stopping_ = false;
    std::optional<Error> failure_;      // set by the writer thread alone
    std::thread writer_;                // last: starts when everything else is there
};

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(StoreConfig config) {
    ASSAY_TRY(Database database, Database::open(config.path, Database::Access::write));
    if (auto migrated = sqlite::migrate(database); !migrated) return migrated.take_error().in(config.path);
    ASSAY_CHECK(sys::sync_directory(parent_of(config.path)));
    return std::unique_ptr<Store>{std::make_unique<SqliteStore>(std::move(config), std::move(database))};
}

}  // namespace assay::store
