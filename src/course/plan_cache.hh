// PlanCache: plans of revisions, parsed once. A revision never changes, so an entry is never stale.
// Threading: safe from every thread.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "model/plan.hh"
#include "store/store.hh"

namespace assay::course {

class PlanCache {
public:
    static constexpr std::size_t plans_max = 256;  // the least recently used goes first

    // Errors: missing (no such revision), invalid (stored plan unreadable), or the reading's.
    Result<std::shared_ptr<const model::Plan>> get(store::Reading& reading, RevisionId id);

private:
    using Entry = std::pair<std::int64_t, std::shared_ptr<const model::Plan>>;
    std::mutex mutex_;
    std::list<Entry> recent_;  // newest use first
    std::unordered_map<std::int64_t, std::list<Entry>::iterator> found_;
};

}  // namespace assay::course
