#include "queue/feed.hh"

#include <string>
#include <vector>

namespace assay::queue {

Feed::Place Feed::place_of(const Topic& topic) {
    // A name cannot hold a line feed, so different topics are different texts.
    const std::string text = topic.course.text() + '\n' + topic.module.text() + '\n' + topic.participant.text();
    return std::hash<std::string>{}(text) % versions_count;
}

void Feed::changed(const Topic& topic) {
    versions_[place_of(topic)].fetch_add(1);
    std::vector<Listener> told;
    {
        const std::lock_guard lock{mutex_};
        const auto [begin, end] = listeners_.equal_range(topic);
        for (auto each = begin; each != end; ++each) told.push_back(each->second);
    }
    for (const Listener& listener : told) (*listener)();
}

void Feed::all_changed() {
    all_.fetch_add(1);
    std::vector<Listener> told;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& [topic, listener] : listeners_) told.push_back(listener);
    }
    for (const Listener& listener : told) (*listener)();
}

Feed::Listening Feed::listen(const Topic& topic, std::function<void()> listener) {
    const std::lock_guard lock{mutex_};
    const auto entry = listeners_.emplace(topic, std::make_shared<std::function<void()>>(std::move(listener)));
    return Listening{std::shared_ptr<void>{nullptr, [this, entry](void*) {
        const std::lock_guard ending{mutex_};
        listeners_.erase(entry);
    }}};
}

}  // namespace assay::queue
