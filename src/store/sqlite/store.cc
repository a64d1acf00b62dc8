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
#include "store/commits.hh"
#include "store/sqlite/changes.hh"
#include "store/sqlite/migrations.hh"
#include "store/sqlite/rebuild.hh"
#include "store/space.hh"
#include "store/store.hh"
#include "sys/file.hh"

namespace assay::store {
namespace {

// Set before any store is open.
std::function<void(double)>& commit_listener() {
    static std::function<void(double)> listener;
    return listener;
}

using sqlite::Changes;
using sqlite::Database;
using sqlite::Queries;

constexpr int log_pages_max = 1000;                        // of the write-ahead log before it is moved into the file
// Beyond it readers wait until it is empty: while one after the other reads, it can only grow.
constexpr int log_pages_most = 16'000;
constexpr std::chrono::seconds readers_pause_max{1};
constexpr std::size_t readers_max = 8;                     // connections; made when first needed
constexpr std::chrono::seconds reader_wait_max{10};        // for a free one
constexpr double group_bounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
constexpr double commit_bounds_s[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};

class Readers {
public:
    Readers(std::string path, std::string vfs) : path_{std::move(path)}, vfs_{std::move(vfs)} {}

    Result<> read(const Store::Query& query) {
        ASSAY_TRY(std::unique_ptr<Database> database, take());
        auto result = run(*database, query);
        give_back(database->disk_failed() || database->in_transaction() ? nullptr : std::move(database));
        return result;
    }

    // Nobody reads from now on, once this returns: false, when that took longer than `wait_max`; then all is as before.
    bool pause(std::chrono::seconds wait_max) {
        std::unique_lock lock{mutex_};
        paused_ = true;
        const auto none_in_use = [this] { return open_ == idle_.size(); };
        if (unused_.wait_for(lock, wait_max, none_in_use)) return true;
        paused_ = false;
        free_.notify_all();
        return false;
    }
    // While paused: every connection is closed.
    void close_all() {
        const std::lock_guard lock{mutex_};
        open_ -= idle_.size();
        idle_.clear();
    }
    void resume() {
        const std::lock_guard lock{mutex_};
        paused_ = false;
        free_.notify_all();
    }

private:
    static Result<> run(Database& database, const Store::Query& query) {
        ASSAY_CHECK(database.change("BEGIN"));
        Queries<Reading> reading{database};
        auto result = query(reading);
        ASSAY_CHECK(database.change("ROLLBACK"));
        return result;
    }

    Result<std::unique_ptr<Database>> take() {
        {
            std::unique_lock lock{mutex_};
            const auto available = [this] { return !paused_ && (!idle_.empty() || open_ < readers_max); };
            if (!free_.wait_for(lock, reader_wait_max, available)) {
                return Error{Fault::busy, "no reading connection became free within " + std::to_string(reader_wait_max.count()) + " s"};
            }
            if (!idle_.empty()) {
                auto database = std::move(idle_.back());
                idle_.pop_back();
                return database;
            }
            ++open_;
        }
        auto opened = Database::open(path_, Database::Access::read, vfs_);
        if (opened) return std::make_unique<Database>(std::move(*opened));
        give_back(nullptr);
        return opened.take_error();
    }

    void give_back(std::unique_ptr<Database> database) {  // nullptr: it was closed
        bool waited_for = false;
        {
            const std::lock_guard lock{mutex_};
            if (database) idle_.push_back(std::move(database));
            else --open_;
            waited_for = paused_;
        }
        free_.notify_one();
        if (waited_for) unused_.notify_one();
    }

    const std::string path_;
    const std::string vfs_;
    std::mutex mutex_;
    std::condition_variable free_;    // who reads waits for a connection
    std::condition_variable unused_;  // who paused them, until none is in use
    std::vector<std::unique_ptr<Database>> idle_;
    std::size_t open_ = 0;   // those in use and the idle
    bool paused_ = false;
};

class SqliteStore final : public Store {
public:
    SqliteStore(StoreConfig config, Database database)
        : config_{std::move(config)}, database_{std::move(database)}, readers_{config_.path, config_.vfs}, writer_{[this] { run(); }} {}

    ~SqliteStore() override {
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
        }
        wake_.notify_one();
        writer_.join();
    }

    using Store::write;
    void write(Change change, Done done, Need need) override {
        if (auto refusal = enqueue(change, done, need)) done(std::move(*refusal));
    }

    Result<> read(const Query& query) override { return readers_.read(query); }

    std::optional<std::string> read_only() const override {
        const std::lock_guard lock{mutex_};
        return failure_;
    }

private:
    struct Entry {
        Change change;
        Done done;
        Need need = Need::ordinary;
        Result<> result{};
    };

    std::optional<Error> enqueue(Change& change, Done& done, Need need) {
        {
            const std::lock_guard lock{mutex_};
            if (stopping_) return Error{Fault::interrupted, "the store is closing"};
            if (failure_) return refusal(*failure_);
            if (queue_.size() >= changes_waiting_max) {
                return Error{Fault::busy, std::to_string(changes_waiting_max) + " changes wait to be written"};
            }
            queue_.push_back({std::move(change), std::move(done), need});
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
                const auto called = [this] { return stopping_ || !queue_.empty(); };
                if (!rebuild_at_) wake_.wait(lock, called);
                else if (!wake_.wait_until(lock, *rebuild_at_, called)) rebuild_at_.reset();
                if (queue_.empty() && stopping_) return;
            }
            if (!failure_ || rebuild_at_) write_group();
            else rebuild();
        }
    }

    void write_group() {
        std::vector<Entry> group;
        const auto written = failure_ ? Result<>{refusal(*failure_)} : change_and_commit(group);
        bool sound = true;
        if (!written) {
            if (!failure_ && database_.in_transaction()) (void)database_.script("ROLLBACK");
            if (group.empty()) take_group(group);
            // A full disk was met before any sync, and a busy file before anything: both leave a store that can be trusted.
            const Fault fault = written.error().fault();
            sound = failure_ || (!database_.disk_failed() && (fault == Fault::disk_full || fault == Fault::busy));
            if (!sound) fail(written.error());
        }
        for (Entry& entry : group) {
            if (!written && entry.result) entry.result = written.error();
            entry.done(std::move(entry.result));
        }
        if (!sound) return rebuild();
        if (failure_) return;
        if (const auto kept_short = keep_log_short(); !kept_short) {
            fail(kept_short.error());
            rebuild();
        }
    }

    Result<> keep_log_short() {
        if (database_.log_pages() <= log_pages_max) return ok;
        if (database_.log_pages() <= log_pages_most || !readers_.pause(readers_pause_max)) {
            return database_.checkpoint(Database::Checkpoint::as_far_as_possible);
        }
        auto moved = database_.checkpoint(Database::Checkpoint::whole);
        readers_.resume();
        return moved;
    }

    // An error here refuses the whole group; `group` holds every change that was taken from the queue.
    Result<> change_and_commit(std::vector<Entry>& group) {
        const bool spent = config_.space != nullptr && config_.space->look().level == Space::Level::spent;
        ASSAY_CHECK(database_.change("BEGIN IMMEDIATE"));
        const auto deadline = std::chrono::steady_clock::now() + group_time_max;
        while (group.size() < group_changes_max && std::chrono::steady_clock::now() < deadline) {
            auto entry = next();
            if (!entry) break;
            group.push_back(std::move(*entry));
            if (spent && group.back().need == Need::ordinary) group.back().result = Space::full();
            else ASSAY_CHECK(change_in_savepoint(group.back()));
        }
        return commit(group.size());
    }

    Result<> commit(std::size_t changes) {
        const auto began = std::chrono::steady_clock::now();
        auto committed = database_.change("COMMIT");
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
        seconds_.observe(took.count() / 1000);
        if (commit_listener()) commit_listener()(took.count());
        changes_.observe(static_cast<double>(changes));
        if (!committed) return committed.take_error();
        return ok;
    }

    // The change's own error goes into its entry; what is returned is one after which the transaction cannot go on.
    Result<> change_in_savepoint(Entry& entry) {
        ASSAY_CHECK(database_.change("SAVEPOINT change"));
        Changes changes{database_};
        entry.result = entry.change(changes);
        entry.change = nullptr;
        if (!database_.in_transaction() || database_.disk_failed()) {  // SQLite gave the whole transaction up.
            auto reason = entry.result ? Error{Fault::disk_failed, "sqlite: the transaction was given up"} : entry.result.error();
            entry.result = ok;  // Everyone in the group gets the same answer.
            return reason;
        }
        if (!entry.result) ASSAY_CHECK(database_.change("ROLLBACK TO change"));
        ASSAY_CHECK(database_.change("RELEASE change"));
        return ok;
    }

    void take_group(std::vector<Entry>& group) {
        while (group.size() < group_changes_max) {
            auto entry = next();
            if (!entry) return;
            group.push_back(std::move(*entry));
        }
    }

    static Error refusal(const std::string& why) { return {Fault::busy, "the store is read-only for now: " + why}; }

    void set_failure(std::optional<std::string> why) {
        const std::lock_guard lock{mutex_};
        failure_ = std::move(why);
    }

    void fail(const Error& error) {
        cause_ = error.text();
        set_failure(cause_);
        log::error("store.read_only", {{"error", error.text()}});
    }

    // Whatever was committed is written whole into a new file; whatever was refused is not in it. Until then nothing is taken.
    void rebuild() {
        if (const auto rebuilt = move_into_new_file(); !rebuilt) {
            const std::int64_t wait_ms = rebuild_wait_.count();
            rebuild_at_ = std::chrono::steady_clock::now() + rebuild_wait_;
            rebuild_wait_ = std::min<std::chrono::milliseconds>(rebuild_wait_ * 2, rebuild_wait_max);
            log::error("store.not_rebuilt", {{"error", rebuilt.error().text()}, {"again_ms", wait_ms}, {"remedy", "see to the disk"}});
            return set_failure(cause_ + "; and it could not be written anew, which is tried again: " + rebuilt.error().text());
        }
        log::warn("store.rebuilt");
        rebuild_wait_ = config_.rebuild_wait;
        rebuild_at_.reset();
        set_failure(std::nullopt);
    }

    Result<> move_into_new_file() {
        // What an earlier try left is opened, and still not trusted: what a failed sync lost, no later one of the same brings back.
        if (abandoned_) ASSAY_CHECK(open_what_counts());
        if (database_.in_transaction()) (void)database_.script("ROLLBACK");
        if (database_.in_transaction()) return Error{Fault::disk_failed, "the failed transaction could not be rolled back"};
        ASSAY_CHECK(sqlite::write_rebuilt(database_, config_.path));
        if (!readers_.pause(reader_wait_max)) return Error{Fault::busy, "the old file is still being read"};
        readers_.close_all();
        database_.abandon();
        abandoned_ = true;
        return open_what_counts();
    }

    // Until it succeeds nobody reads either: which of the two files counts is not settled.
    Result<> open_what_counts() {
        ASSAY_CHECK(sqlite::finish_rebuild(config_.path));
        ASSAY_TRY(database_, Database::open(config_.path, Database::Access::write, config_.vfs));
        abandoned_ = false;
        readers_.resume();
        return ok;
    }

    metrics::Histogram& changes_ =
        metrics::registry().histogram("assay_store_commit_changes", "Changes committed together.", group_bounds);
    metrics::Histogram& seconds_ =
        metrics::registry().histogram("assay_store_commit_seconds", "How long a COMMIT took, its sync included.", commit_bounds_s);
    StoreConfig config_;
    Database database_;                 // the writer thread's alone
    Readers readers_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Entry> queue_;
    bool stopping_ = false;
    std::optional<std::string> failure_;  // why it is read-only; set by the writer thread alone, under the mutex
    // The writer thread's alone, as database_:
    std::string cause_;                   // what made it read-only
    bool abandoned_ = false;              // database_ is closed, between two files
    std::chrono::milliseconds rebuild_wait_ = config_.rebuild_wait;
    std::optional<std::chrono::steady_clock::time_point> rebuild_at_;  // when the next try is due; nullopt: none has failed, or it is now
    std::thread writer_;                // last: starts when everything else is there
};

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

}  // namespace

void on_commit(std::function<void(double ms)> listener) { commit_listener() = std::move(listener); }

Result<std::unique_ptr<Store>> open_sqlite(StoreConfig config) {
    if (auto finished = sqlite::finish_rebuild(config.path); !finished) return finished.take_error().in("a database written anew");
    ASSAY_TRY(Database database, Database::open(config.path, Database::Access::write, config.vfs));
    if (auto migrated = sqlite::migrate(database); !migrated) return migrated.take_error().in(config.path);
    ASSAY_CHECK(sys::sync_directory(parent_of(config.path)));
    return std::unique_ptr<Store>{std::make_unique<SqliteStore>(std::move(config), std::move(database))};
}

}  // namespace assay::store
