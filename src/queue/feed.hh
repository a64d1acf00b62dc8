// Feed: says that what a participant sees has changed, to whoever shows it: page cache, event streams.
//
// Told after COMMIT, never before, so that whoever looks then finds at least that change. It carries no facts: what is true is
// read from the store. Memory is bounded: versions live in a fixed table, where two topics that meet only cost a look too many.
// Threading: safe from every thread; listeners run on the thread that told, outside any lock, and only make a note.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/ids.hh"

namespace assay::queue {

// What one participant sees of one module.
struct Topic {
    CourseId course;
    ModuleId module;
    ParticipantId participant;
    auto operator<=>(const Topic&) const = default;
};

class Feed {
public:
    Feed() = default;
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    void changed(const Topic&);
    void all_changed();  // a revision, a pause, a drain: anybody's page may differ now

    // Grows whenever the topic changed, and now and then when it did not.
    std::uint64_t version(const Topic& topic) const { return version(place_of(topic)); }
    // The same for who asks often: a topic's place never changes.
    using Place = std::size_t;
    static Place place_of(const Topic&);
    std::uint64_t version(Place place) const { return versions_[place].load() + all_.load(); }

    // Ends the listening when destroyed; a call of the listener that has begun may still run then.
    class Listening {
    public:
        Listening() = default;

    private:
        friend class Feed;
        explicit Listening(std::shared_ptr<void> held) : held_{std::move(held)} {}
        std::shared_ptr<void> held_;
    };
    // `feed` must outlive what it returns.
    [[nodiscard]] Listening listen(const Topic&, std::function<void()> listener);

private:
    static constexpr std::size_t versions_count = 1u << 14;
    using Listener = std::shared_ptr<std::function<void()>>;

    std::array<std::atomic<std::uint64_t>, versions_count> versions_{};
    std::atomic<std::uint64_t> all_{0};
    std::mutex mutex_;
    std::multimap<Topic, Listener> listeners_;  // guarded
};

}  // namespace assay::queue
