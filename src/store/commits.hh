// Commits: whoever wants to know how long each group commit of this process's stores takes.
#pragma once

#include <functional>

namespace assay::store {

// Replaces the listener (default: none). It is called on the writer thread and must not wait. Not to be called while a store is open.
void on_commit(std::function<void(double ms)> listener);

}  // namespace assay::store
