#include "store/sqlite/database.hh"

#include <sqlite3.h>

#include <cerrno>
#include <mutex>

#include "base/assert.hh"
#include "base/text.hh"
#include "sys/quiet.hh"

namespace assay::store::sqlite {
namespace {

constexpr int busy_time_max_ms = 2000;  // One writer by design; a reader may meet the log being restarted.
constexpr int statements_cached_max = 256;

constexpr int log_kept_bytes = 16 << 20;  // of a log that has been moved into the file; a longer one is cut
constexpr int writer_cache_kib = 16 << 10;  // the engine has 2 MiB: with some thousand submissions each reads pages anew

bool means_disk_failed(int code, int system_error) {
    switch (code) {
        case SQLITE_IOERR_NOMEM: return false;
        case SQLITE_IOERR_FSYNC: case SQLITE_IOERR_DIR_FSYNC: return true;  // For whatever reason: what is on the disk is not known.
        default: break;
    }
    switch (code & 0xff) {
        case SQLITE_IOERR: return system_error != ENOSPC && system_error != EDQUOT;
        case SQLITE_CORRUPT: case SQLITE_NOTADB: return true;
        default: return false;
    }
}

Fault fault_of(int code, int system_error) {
    if (means_disk_failed(code, system_error)) return Fault::disk_failed;
    switch (code & 0xff) {
        case SQLITE_FULL: return Fault::disk_full;
        case SQLITE_IOERR: return code == SQLITE_IOERR_NOMEM ? Fault::system : Fault::disk_full;
        case SQLITE_CONSTRAINT: return Fault::conflict;
        case SQLITE_BUSY: case SQLITE_LOCKED: return Fault::busy;
        case SQLITE_PERM: case SQLITE_READONLY: case SQLITE_AUTH: return Fault::denied;
        case SQLITE_TOOBIG: return Fault::too_large;
        case SQLITE_INTERRUPT: return Fault::interrupted;
        default: return Fault::system;
    }
}

struct Bind {
    sqlite3_stmt* statement;
    int index;
    int operator()(std::nullptr_t) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t number) const { return sqlite3_bind_int64(statement, index, number); }
    int operator()(double number) const { return sqlite3_bind_double(statement, index, number); }
    int operator()(std::string_view text) const {
        // A null pointer would bind NULL.
        return sqlite3_bind_text64(statement, index, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    int operator()(Blob blob) const {
        return sqlite3_bind_blob64(statement, index, blob.bytes.empty() ? "" : blob.bytes.data(), blob.bytes.size(), SQLITE_STATIC);
    }
};

// Once, before the first connection.
void prepare_engine() {
    static std::once_flag done;
    std::call_once(done, [] {
        // Nobody asks how much memory the engine has, and to count it takes one lock of the process for each piece.
        // Where somebody has used the engine already, as a disk that fails for a test does, it counts on.
        const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        ASSAY_ASSERT(uncounted == SQLITE_OK || uncounted == SQLITE_MISUSE);
        // The first read after a write would put its time into the inode, and that waits for the file system's journal, so that who
        // only reads (a page) stood still for as long as somebody else kept the disk busy.
        sqlite3_vfs* const usual = sqlite3_vfs_find("unix");
        ASSAY_ASSERT(usual != nullptr);
        const int set = usual->xSetSystemCall(usual, "open", reinterpret_cast<sqlite3_syscall_ptr>(sys::open_without_read_time));
        ASSAY_ASSERT(set == SQLITE_OK);
    });
}

std::string read_text(const Row& row) { return row.text(0); }

}  // namespace

bool Row::null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
std::int64_t Row::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Row::real(int column) const { return sqlite3_column_double(statement_, column); }
std::string Row::text(int column) const {
    const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    const int size = sqlite3_column_bytes(statement_, column);
    return bytes == nullptr ? std::string{} : std::string(bytes, static_cast<std::size_t>(size));
}

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
void Database::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Database> Database::open(const std::string& path, Access access, const std::string& vfs) {
    prepare_engine();
    const int rights = access == Access::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    sqlite3* raw = nullptr;
    const int opened = sqlite3_open_v2(path.c_str(), &raw, rights | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                       vfs.empty() ? nullptr : vfs.c_str());
    Database database;
    database.connection_.reset(raw);
    if (opened != SQLITE_OK) return database.error("open " + path);
    sqlite3_busy_timeout(raw, busy_time_max_ms);

    ASSAY_CHECK(database.script("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY"));
    if (access == Access::read) {
        ASSAY_CHECK(database.script("PRAGMA query_only = ON"));
        return database;
    }
    // What the engine answers counts, not what it was asked.
    auto journal = database.first<std::string>("PRAGMA journal_mode = WAL", {}, read_text);
    if (!journal) return journal.take_error().in("open " + path);  // Here a file that is no database shows.
    if (*journal != "wal") return Error{Fault::unsupported, "open " + path + ": this file system cannot hold a write-ahead log"};
    ASSAY_CHECK(database.script("PRAGMA synchronous = FULL"));
    ASSAY_TRY(const auto synchronous, database.first<std::string>("PRAGMA synchronous", {}, read_text));
    if (synchronous != "2") return Error{Fault::internal, "open " + path + ": synchronous is not FULL"};

    // The schema's lists of words are for whoever checks the file (integrity_check asks them). What is written here comes from our
    // enumerations, and the engine makes a table of each list anew for every row.
    ASSAY_CHECK(database.script("PRAGMA ignore_check_constraints = ON"));

    ASSAY_CHECK(database.script("PRAGMA journal_size_limit = " + std::to_string(log_kept_bytes)));
    ASSAY_CHECK(database.script("PRAGMA cache_size = -" + std::to_string(writer_cache_kib)));

    // Checkpoints are made by whoever writes, after it has answered, because the built-in ones hide their errors.
    database.log_pages_ = std::make_unique<int>(0);
    const auto remember = [](void* pages, sqlite3*, const char*, int count) {
        *static_cast<int*>(pages) = count;
        return SQLITE_OK;
    };
    sqlite3_wal_hook(raw, remember, database.log_pages_.get());
    return database;
}

Error Database::error(std::string_view doing) {
    const int code = sqlite3_extended_errcode(connection_.get());
    const int system_error = sqlite3_system_errno(connection_.get());
    if (means_disk_failed(code, system_error)) disk_failed_ = true;
    return {fault_of(code, system_error), "sqlite: " + escaped(doing, 80) + ": " + sqlite3_errmsg(connection_.get())};
}

Result<> Database::script(const std::string& sql) {
    if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return error(sql);
    return ok;
}

Result<sqlite3_stmt*> Database::prepared(const std::string& sql, std::initializer_list<Value> values) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
        ASSAY_ASSERT(statements_.size() < statements_cached_max);  // Texts are literals; values never enter them.
        sqlite3_stmt* raw = nullptr;
        if (sqlite3_prepare_v3(connection_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) != SQLITE_OK) {
            return error(sql);
        }
        found = statements_.emplace(sql, Statement{raw}).first;
    }
    sqlite3_stmt* const statement = found->second.get();
    ASSAY_ASSERT(!sqlite3_stmt_busy(statement));
    ASSAY_ASSERT(sqlite3_bind_parameter_count(statement) == static_cast<int>(values.size()));
    int index = 0;
    for (const Value& value : values) {
        if (std::visit(Bind{statement, ++index}, value) != SQLITE_OK) {
            const Error failure = error(sql);
            sqlite3_clear_bindings(statement);
            return failure;
        }
    }
    return statement;
}

Result<bool> Database::step(sqlite3_stmt* statement, const std::string& sql) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        return false;
    }
    const Error failure = error(sql);  // Before the reset, which may change what is reported.
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return failure;
}

Result<std::int64_t> Database::change(const std::string& sql, std::initializer_list<Value> values) {
    const auto ignore = [](const Row&) {};
    ASSAY_CHECK(each(sql, values, ignore));
    return sqlite3_changes64(connection_.get());
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(connection_.get()); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }

void Database::abandon() {
    statements_.clear();
    (void)sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    connection_.reset();
}

Result<> Database::checkpoint(Checkpoint how) {
    ASSAY_ASSERT(log_pages_ != nullptr);
    *log_pages_ = 0;  // The next commit says how long it is then.
    const int mode = how == Checkpoint::whole ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    const int code = sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, mode, nullptr, nullptr);
    if (code == SQLITE_OK) return ok;
    const Error failure = error("checkpoint");
    if (failure.fault() == Fault::disk_failed) return failure;
    return ok;  // A full disk or a busy reader: the log holds everything, and a later commit tries again.
}

}  // namespace assay::store::sqlite
