// Rebuild: the database written whole into a new file, after something of the old one could not be made durable (rule 3).
//
//   assay.db.copy      being written; worth nothing
//   assay.db.rebuilt   whole, checked and durable: from this name on it is the database
//
// Whoever finds the second one, now or at a later start, takes the old file's log away and then puts it in the old file's
// place. The log goes first, and durably: SQLite would read the old log into the new file. Nothing is committed in between.
#pragma once

#include <string>

#include "store/sqlite/database.hh"

namespace assay::store::sqlite {

// Writes what `from` shows (everything that was committed, nothing that was refused) to `path`.rebuilt. `from` may be in no
// transaction. Errors: disk_full, disk_failed; the old file is untouched then.
Result<> write_rebuilt(Database& from, const std::string& path);

// Removes what an unfinished copy left, and puts a finished one in place. Nobody may have `path` open. May be repeated.
Result<> finish_rebuild(const std::string& path);

}  // namespace assay::store::sqlite
