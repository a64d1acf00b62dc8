#include "queue/moves.hh"

#include <algorithm>
#include <span>

namespace assay::queue {

Moves::Watcher::~Watcher() {
    const std::lock_guard lock{moves_.mutex_};
    std::erase(moves_.watchers_, this);
}

void Moves::Watcher::shows(std::int64_t position, std::uint64_t as_of) {
    const std::lock_guard lock{moves_.mutex_};
    position_ = position;
    as_of_ = as_of;
}

std::shared_ptr<Moves::Watcher> Moves::watch(std::function<void()> wake) {
    std::shared_ptr<Watcher> watcher{new Watcher{*this, std::move(wake)}};
    const std::lock_guard lock{mutex_};
    watchers_.push_back(watcher.get());
    return watcher;
}

std::size_t Moves::tell() {
    std::vector<std::shared_ptr<std::function<void()>>> told;
    {
        const std::lock_guard lock{mutex_};
        const std::uint64_t count = count_.load();
        std::vector<Watcher*> due;
        for (Watcher* const it : watchers_) {
            const auto step = static_cast<std::uint64_t>(std::max<std::int64_t>(it->position_ / step_share, 1));
            if (it->position_ > 0 && count > it->as_of_ && count - it->as_of_ >= step) due.push_back(it);
        }
        const std::size_t now = std::min(due.size(), told_max);
        std::ranges::partial_sort(due, due.begin() + static_cast<std::ptrdiff_t>(now), {}, &Watcher::position_);
        for (Watcher* const it : std::span{due}.first(now)) {
            it->as_of_ = count;  // Until it says what it shows then.
            told.push_back(it->wake_);
        }
    }
    for (const auto& wake : told) (*wake)();
    return told.size();
}

}  // namespace assay::queue
