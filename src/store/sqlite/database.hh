// Database: one SQLite connection, its statements prepared once, its errors as ours. Knows no table.
//
// Threading: one thread at a time. Ownership: closes everything on destruction; movable.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/result.hh"

struct sqlite3;
struct sqlite3_stmt;

namespace assay::store::sqlite {

struct Blob {
    std::string_view bytes;
};
// A parameter. Texts and blobs are only viewed: they must live until the call returns.
using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string_view, Blob>;

// The row a statement stands on; valid during the call it is given to.
class Row {
public:
    explicit Row(sqlite3_stmt* statement) : statement_{statement} {}
    bool null(int column) const;
    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string text(int column) const;  // of a blob as well; NULL reads as ""

private:
    sqlite3_stmt* statement_;
};

class Database {
public:
    enum class Access { write, read };
    // write: creates when missing; journal_mode WAL, synchronous FULL, foreign keys on, each read back. Errors: system, disk_…
    // `vfs`: the name of SQLite's way to the files; the usual one when empty.
    static Result<Database> open(const std::string& path, Access access, const std::string& vfs = {});

    // One or more statements without parameters or rows.
    Result<> script(const std::string& sql);
    // A statement without rows; returns how many rows it changed.
    Result<std::int64_t> change(const std::string& sql, std::initializer_list<Value> values = {});

    template <class T>
    Result<std::vector<T>> all(const std::string& sql, std::initializer_list<Value> values, T (*read)(const Row&)) {
        std::vector<T> found;
        const auto keep = [&](const Row& row) { found.push_back(read(row)); };
        ASSAY_CHECK(each(sql, values, keep));
        return found;
    }
    template <class T>
    Result<std::optional<T>> first(const std::string& sql, std::initializer_list<Value> values, T (*read)(const Row&)) {
        std::optional<T> found;
        const auto keep = [&](const Row& row) {
            if (!found) found = read(row);
        };
        ASSAY_CHECK(each(sql, values, keep));
        return found;
    }

    std::int64_t last_insert_id() const;
    bool in_transaction() const;
    // Whether an error has been seen after which nothing in this file can be relied on (EIO, a failed sync, corruption).
    bool disk_failed() const { return disk_failed_; }
    // Pages in the log as of the last commit; of the writing connection.
    int log_pages() const { return *log_pages_; }
    // Moves what the log holds into the database file: as far as readers allow, or all of it and the log cut short, for which
    // nobody may be reading. Errors: disk_failed alone.
    enum class Checkpoint { as_far_as_possible, whole };
    Result<> checkpoint(Checkpoint);
    // Closes without a last checkpoint: what is in the log stays there.
    void abandon();

private:
    struct Close {
        void operator()(sqlite3*) const;
    };
    struct Finalize {
        void operator()(sqlite3_stmt*) const;
    };
    using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

    Result<sqlite3_stmt*> prepared(const std::string& sql, std::initializer_list<Value> values);
    template <class F>
    Result<> each(const std::string& sql, std::initializer_list<Value> values, const F& use) {
        ASSAY_TRY(sqlite3_stmt* const statement, prepared(sql, values));
        for (;;) {
            const auto more = step(statement, sql);
            if (!more) return more.error();
            if (!*more) return ok;
            use(Row{statement});
        }
    }
    Result<bool> step(sqlite3_stmt*, const std::string& sql);  // false: done, and reset
    Error error(std::string_view doing);

    std::unique_ptr<sqlite3, Close> connection_;
    std::unordered_map<std::string, Statement> statements_;  // destroyed before the connection
    std::unique_ptr<int> log_pages_;                         // written by the commit hook
    bool disk_failed_ = false;
};

}  // namespace assay::store::sqlite
