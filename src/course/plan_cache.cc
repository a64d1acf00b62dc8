#include "course/plan_cache.hh"

namespace assay::course {

Result<std::shared_ptr<const model::Plan>> PlanCache::get(store::Reading& reading, RevisionId id) {
    {
        const std::lock_guard lock{mutex_};
        if (const auto hit = found_.find(id.value); hit != found_.end()) {
            recent_.splice(recent_.begin(), recent_, hit->second);
            return hit->second->second;
        }
    }
    // Parsed outside the lock: two threads may do it twice, none waits for the other.
    ASSAY_TRY(const auto revision, reading.revision(id));
    if (!revision) return Error{Fault::missing, "there is no revision " + std::to_string(id.value)};
    ASSAY_TRY(auto parsed, model::plan_from_json(revision->plan));
    auto plan = std::make_shared<const model::Plan>(std::move(parsed));

    const std::lock_guard lock{mutex_};
    if (found_.contains(id.value)) return plan;
    recent_.emplace_front(id.value, plan);
    found_.emplace(id.value, recent_.begin());
    if (recent_.size() > plans_max) {
        found_.erase(recent_.back().first);
        recent_.pop_back();
    }
    return plan;
}

}  // namespace assay::course
