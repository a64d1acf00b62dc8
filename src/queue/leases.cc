#include "queue/leases.hh"

#include "base/assert.hh"

namespace assay::queue {

void LeaseTable::begin_session(std::int64_t epoch, int slots) {
    ASSAY_ASSERT(slots >= 0);
    const bool fresh = sessions_.emplace(epoch, slots).second;
    ASSAY_ASSERT(fresh);  // Epochs only grow.
}

std::vector<Token> LeaseTable::end_session(std::int64_t epoch) {
    sessions_.erase(epoch);
    std::vector<Token> ended;
    std::erase_if(leases_, [&](const auto& entry) {
        if (entry.second.token.epoch != epoch) return false;
        ended.push_back(entry.second.token);
        return true;
    });
    return ended;
}

std::vector<Token> LeaseTable::end_all_sessions() {
    std::vector<Token> ended;
    for (const auto& [job, held] : leases_) ended.push_back(held.token);
    sessions_.clear();
    leases_.clear();
    return ended;
}

bool LeaseTable::live(std::int64_t epoch) const { return sessions_.contains(epoch); }

void LeaseTable::add(const Token& token, sys::TimePoint now) {
    ASSAY_ASSERT(live(token.epoch));
    // An older lease of the job can only be one whose end has not been noticed here yet; the store knows better.
    leases_[token.job.value] = Held{token, now + lease_term};
}

bool LeaseTable::renew(const Token& token, sys::TimePoint now) {
    if (!holds(token)) return false;
    leases_.at(token.job.value).deadline = now + lease_term;
    return true;
}

void LeaseTable::remove(const Token& token) {
    if (holds(token)) leases_.erase(token.job.value);
}

bool LeaseTable::holds(const Token& token) const {
    const auto found = leases_.find(token.job.value);
    return found != leases_.end() && found->second.token == token;
}

std::vector<Token> LeaseTable::lapsed(sys::TimePoint now) {
    std::vector<Token> lapsed;
    std::erase_if(leases_, [&](const auto& entry) {
        if (now < entry.second.deadline) return false;  // The boundary itself counts as lapsed.
        lapsed.push_back(entry.second.token);
        return true;
    });
    return lapsed;
}

std::optional<sys::TimePoint> LeaseTable::next_deadline() const {
    std::optional<sys::TimePoint> first;
    for (const auto& [job, held] : leases_) first = std::min(first.value_or(held.deadline), held.deadline);
    return first;
}

int LeaseTable::slots() const {
    int slots = 0;
    for (const auto& [epoch, count] : sessions_) slots += count;
    return slots;
}

}  // namespace assay::queue
