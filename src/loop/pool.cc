#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <thread>

#include "loop/loop.hh"

namespace assay::loop {

struct Pool::Inner {
    std::size_t queue_max;
    mutable std::mutex mutex;
    std::condition_variable wake;
    std::deque<Work> queue;
    bool ending = false;
    std::vector<std::thread> threads;

    void run() {
        std::unique_lock lock{mutex};
        for (;;) {
            wake.wait(lock, [this] { return ending || !queue.empty(); });
            if (queue.empty()) return;
            Work work = std::move(queue.front());
            queue.pop_front();
            lock.unlock();
            work();
            work = nullptr;  // What it captured goes before the lock is taken again.
            lock.lock();
        }
    }
};

Pool::Pool(std::string name, std::size_t threads, std::size_t queue_max)
    : name_{std::move(name)}, inner_{std::make_unique<Inner>()} {
    ASSAY_ASSERT(threads >= 1);
    ASSAY_ASSERT(queue_max >= 1);
    inner_->queue_max = queue_max;
    constexpr std::size_t thread_name_max = 15;  // the kernel's
    for (std::size_t i = 0; i < threads; ++i) {
        inner_->threads.emplace_back([inner = inner_.get(), title = name_.substr(0, thread_name_max)] {
            ::pthread_setname_np(::pthread_self(), title.c_str());
            inner->run();
        });
    }
}

Pool::~Pool() {
    {
        const std::scoped_lock lock{inner_->mutex};
        inner_->ending = true;
    }
    inner_->wake.notify_all();
    for (std::thread& thread : inner_->threads) thread.join();
}

bool Pool::try_post(Work& work) {
    {
        const std::scoped_lock lock{inner_->mutex};
        if (inner_->ending || inner_->queue.size() >= inner_->queue_max) return false;
        inner_->queue.push_back(std::move(work));
    }
    inner_->wake.notify_one();
    return true;
}

std::size_t Pool::waiting() const {
    const std::scoped_lock lock{inner_->mutex};
    return inner_->queue.size();
}

}  // namespace assay::loop
