// Moves: tells those who watch a place in line that it may be another by now.
//
// Each start moves everybody behind it. Told of each, n watchers would look n² times until the line is empty. So a place is looked
// at again once about an eighth of what was before it has gone, which is O(log n) looks from place n to the front; and at one time
// no more than `told_max` are told, the front ones first. The others are told soon after, or look by themselves now and then.
//
// Threading: safe from every thread; wakes run on the thread that tells, outside any lock, and only make a note. Memory: the
// watchers' own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace assay::queue {

class Moves {
public:
    static constexpr std::size_t told_max = 64;
    static constexpr std::int64_t step_share = 8;  // of the places before it

    Moves() = default;
    Moves(const Moves&) = delete;
    Moves& operator=(const Moves&) = delete;

    void moved() { count_.fetch_add(1); }          // a job has started, or is back in line
    std::uint64_t count() const { return count_.load(); }

    class Watcher {
    public:
        ~Watcher();
        Watcher(const Watcher&) = delete;
        Watcher& operator=(const Watcher&) = delete;
        // The place it shows now, and count() from before that was read. position 0: none in line.
        void shows(std::int64_t position, std::uint64_t as_of);

    private:
        friend class Moves;
        Watcher(Moves& moves, std::function<void()> wake) : moves_{moves}, wake_{std::make_shared<std::function<void()>>(std::move(wake))} {}
        Moves& moves_;
        const std::shared_ptr<std::function<void()>> wake_;
        std::int64_t position_ = 0;                // guarded by the moves' mutex, as below
        std::uint64_t as_of_ = 0;
    };
    // Watches until it is released, when a wake that has begun may still run; this must outlive it.
    [[nodiscard]] std::shared_ptr<Watcher> watch(std::function<void()> wake);

    // Wakes those who are due; called regularly. Returns how many.
    std::size_t tell();

private:
    std::atomic<std::uint64_t> count_{0};
    std::mutex mutex_;
    std::vector<Watcher*> watchers_;               // guarded
};

}  // namespace assay::queue
