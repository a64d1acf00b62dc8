// Budget: how many bytes of uploads may be under way at once: received, and not yet kept or refused.
//
// Above `bytes_max` no upload that has outgrown its first bytes in memory is read on: its socket stands unread, and TCP holds its sender
// back, while pages and small hand-ins go on. Whoever began first goes on first. When all that have bytes here wait for each other, the
// oldest goes on alone, beyond the amount. When nothing has become free for `standstill_max`, because those who may go on do not send,
// the one of them that holds most and is slower than `shed_rate_bytes_per_s` goes. Nobody waits longer than `wait_max`.
//
// Threading: a Share belongs to one upload and is used by one thread at a time, wait() on a loop; Budget is safe from every thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "loop/loop.hh"
#include "sys/clock.hh"

namespace assay::intake {

struct BudgetLimits {
    std::int64_t bytes_max = 1LL << 30;
    std::int64_t portion_bytes = 1 << 20;        // so much room for each that is let on; it stops again once the room is used up
    std::chrono::milliseconds wait_max{50'000};  // below the 60 s after which proxies give up
    std::chrono::milliseconds standstill_max{10'000};
};

class Budget {
public:
    explicit Budget(const BudgetLimits& limits = {});

    std::int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
    std::size_t waiting() const;

    class Share {
    public:
        // `shed`: ends the upload for want of room; from any thread. Empty: it is never chosen.
        Share(Budget& all, std::function<void()> shed);
        ~Share();
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;

        void add(std::int64_t bytes);  // they have come
        bool room() const { return all_.bytes() < all_.limits_.bytes_max || alone_; }
        // Until there is room; false: not within `wait_max`.
        loop::Task<bool> wait();
        void all_there();              // it waits for nothing of its sender's any more

    private:
        friend class Budget;
        Budget& all_;
        const std::function<void()> shed_;
        const sys::TimePoint began_;
        std::atomic<std::int64_t> bytes_{0};
        bool alone_ = false;           // lets it go on beyond the amount; from then on to its end
        sys::Duration paused_{};       // guarded by the mutex, as the following
        bool receiving_ = true;
        bool leaving_ = false;
        bool waiting_ = false;
        std::shared_ptr<loop::Bell> bell_;
    };

private:
    using Order = std::pair<sys::TimePoint, const Share*>;  // who began first
    void call_next();                                       // with the mutex, as the next
    void shed_one(sys::TimePoint now);

    const BudgetLimits limits_;
    std::atomic<std::int64_t> bytes_{0};
    mutable std::mutex mutex_;
    std::map<Order, Share*> shares_;   // guarded: all there are
    std::map<Order, Share*> waiting_;  // guarded
    sys::TimePoint moved_;             // guarded: when something last became free, or began to be wanted
};

}  // namespace assay::intake
