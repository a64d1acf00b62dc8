#include "intake/turns.hh"

#include <algorithm>

#include "base/assert.hh"

namespace assay::intake {

Turns::Joined Turns::join(const Party& party, bool holds_file) {
    const auto [at, fresh] = lines_.try_emplace(party);
    if (!fresh) unfile(at);
    Line& line = at->second;
    if (line.waiting.empty() && !there_.empty()) line.used = std::max(line.used, there_.begin()->first);
    const Ticket ticket = ++tickets_;
    line.waiting.insert(ticket);
    ++waiting_;
    if (holds_file) {
        line.files.insert(ticket);
        ++files_;
    }
    file(at);
    return {.ticket = ticket, .out = files_ > limits_.files_max ? std::optional{put_out()} : std::nullopt};
}

std::optional<Turns::Ticket> Turns::next() {
    if (working_ == limits_.seats || ready_.empty()) return std::nullopt;
    const auto at = ready_.begin()->second;
    const Ticket ticket = *at->second.waiting.begin();
    unfile(at);
    ++at->second.working;
    ++working_;
    file(at);
    leave(at->first, ticket);
    return ticket;
}

void Turns::ended(const Party& party, sys::Duration took) {
    const auto at = lines_.find(party);
    ASSAY_ASSERT(at != lines_.end());
    ASSAY_ASSERT(at->second.working > 0);
    unfile(at);
    --at->second.working;
    --working_;
    at->second.used += std::max(took, sys::Duration{1});
    file(at);
    forget();
}

void Turns::leave(const Party& party, Ticket ticket) {
    const auto at = lines_.find(party);
    ASSAY_ASSERT(at != lines_.end());
    unfile(at);
    const bool waited = at->second.waiting.erase(ticket) == 1;
    ASSAY_ASSERT(waited);
    --waiting_;
    files_ -= at->second.files.erase(ticket);
    file(at);
    forget();
}

std::size_t Turns::waiting_of(const Party& party) const {
    const auto at = lines_.find(party);
    return at == lines_.end() ? 0 : at->second.waiting.size();
}

// Of those with most files the last to come, so that of equals the newcomer goes.
Turns::Ticket Turns::put_out() {
    const auto lighter = [](const auto& a, const auto& b) {
        const std::set<Ticket>& ours = a.second->second.files;
        const std::set<Ticket>& theirs = b.second->second.files;
        if (ours.size() != theirs.size()) return ours.size() < theirs.size();
        return !ours.empty() && *ours.rbegin() < *theirs.rbegin();
    };
    const auto heaviest = std::ranges::max_element(ready_, lighter)->second;
    const Ticket newest = *heaviest->second.files.rbegin();
    leave(heaviest->first, newest);
    return newest;
}

void Turns::file(Lines::iterator at) {
    const Line& line = at->second;
    if (!line.waiting.empty()) ready_.emplace(line.key(), at);
    (line.there() ? there_ : away_).emplace(line.used, at->first);
}

void Turns::unfile(Lines::iterator at) {
    const Line& line = at->second;
    if (!line.waiting.empty()) ready_.erase(line.key());
    (line.there() ? there_ : away_).erase({line.used, at->first});
}

// An account that is no higher than where everybody begins says nothing.
void Turns::forget() {
    const auto says_nothing = [this](const Account& account) { return there_.empty() || account.first <= there_.begin()->first; };
    while (!away_.empty() && (says_nothing(*away_.begin()) || away_.size() > accounts_kept)) {
        lines_.erase(away_.begin()->second);
        away_.erase(away_.begin());
    }
}

}  // namespace assay::intake
