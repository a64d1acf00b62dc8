// Migrations: the numbered steps from an empty file to today's tables (docs/formats/store-schema.md).
#pragma once

#include "base/result.hh"
#include "store/sqlite/database.hh"

namespace assay::store::sqlite {

// Runs what is missing, each step in a transaction of its own together with its number; running again changes nothing.
// Errors: unsupported (the file is from a newer version of assay, or is no store of ours), or the database's.
Result<> migrate(Database& database);

}  // namespace assay::store::sqlite
