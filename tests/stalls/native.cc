// Programs that stall, and programs that nearly do: `native NAME VARIANT` (1, 2 or 3). Prints "ready" when it is as it will stay.
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

void ready() {
    std::puts("ready");
    std::fflush(stdout);
}

void beat() {
    std::puts("step");
    std::fflush(stdout);
}

// Each of some threads holds one lock and wants the next one's.
void mutex_cycle(int variant) {
    const int count = variant + 1;
    static std::vector<std::mutex> locks(8);
    static std::atomic<int> holding{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < count; ++i) {
        threads.emplace_back([i, count] {
            locks[static_cast<std::size_t>(i)].lock();
            ++holding;
            while (holding < count) std::this_thread::yield();
            locks[static_cast<std::size_t>((i + 1) % count)].lock();
        });
    }
    while (holding < count) std::this_thread::yield();
    ready();
}

// A lock taken twice, by a thread of its own where the variant says so, with another thread that only looks on.
void self_lock(int variant) {
    static std::mutex lock;
    const auto twice = [] {
        lock.lock();
        ready();
        lock.lock();
    };
    if (variant == 1) return twice();
    std::jthread watcher;
    if (variant == 3)
        watcher = std::jthread{[] {
            for (;;) ::sleep(1);
        }};
    std::jthread{twice}.join();
}

// Two threads, each of which waits for the other's end.
void join_cycle(int) {
    static std::atomic<pthread_t> first{};
    std::thread one{[] {
        static std::thread* const two = new std::thread{[] { pthread_join(first, nullptr); }};
        first = pthread_self();
        ready();
        two->join();
    }};
    first = one.native_handle();
    for (;;) ::pause();
}

void lost_wakeup(int variant) {
    static std::mutex lock;
    static std::condition_variable signal;
    const auto wait = [] {
        std::unique_lock held{lock};
        signal.wait(held, [] { return false; });
    };
    std::vector<std::jthread> threads;
    for (int i = 0; i < variant; ++i) threads.emplace_back(wait);
    ready();
}

// A lock that another thread held when the process was forked.
void fork_lock(int variant) {
    static std::mutex lock;
    static std::atomic<bool> held{false};
    std::thread holder{[] {
        lock.lock();
        held = true;
        for (;;) ::sleep(100);
    }};
    while (!held) std::this_thread::yield();
    std::string offenders;
    for (int i = 0; i < variant; ++i) {
        const pid_t child = ::fork();
        if (child == 0) {
            lock.lock();
            ::_exit(0);
        }
        offenders += (i == 0 ? "[" : "|[") + std::to_string(child) + "]";
    }
    std::printf("offender %s\n", offenders.c_str());
    ::usleep(100'000);
    ready();
    while (::wait(nullptr) > 0) {}
}

void spin(int variant) {
    static volatile std::uint64_t turns = 0;
    const auto turn = [] {
        for (;;) turns = turns + 1;
    };
    std::jthread waits;
    static std::jthread works;
    ready();
    if (variant == 1) turn();
    if (variant == 2) {
        works = std::jthread{turn};
        works.join();
    }
    static volatile bool stop = false;
    while (!stop) {}
}

// Two who are polite for ever.
void livelock(int variant) {
    static std::mutex locks[2];
    static std::atomic<int> tries{0};
    const auto polite = [variant](int mine) {
        for (;;) {
            const std::scoped_lock held{locks[mine]};
            for (int i = 0; i < 3 * variant; ++i) ::usleep(1);  // so that each finds the other's taken
            ++tries;
        }
    };
    static std::mutex lock;
    static std::condition_variable signal;
    static int turn = 0;
    const auto pass = [](int mine) {
        std::unique_lock held{lock};
        for (;;) {
            signal.wait(held, [mine] { return turn == mine; });
            turn = 1 - mine;
            signal.notify_all();
        }
    };
    ready();
    if (variant == 1) {
        std::jthread one{polite, 0}, two{polite, 1};
        std::jthread three{pass, 0}, four{pass, 1};
        return;
    }
    std::jthread one{pass, 0}, two{pass, 1};
    if (variant == 3) std::jthread{polite, 0}.join();
}

void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

// Threads in lock step on one CPU; each step is told.
void oversubscribed(int variant) {
    pin(0);
    const int count = 4 * variant + 2;
    ready();
    std::vector<std::jthread> threads;
    for (int i = 0; i < count; ++i) {
        threads.emplace_back([i] {
            volatile std::uint64_t sum = 0;
            for (std::uint64_t n = 0;; ++n) {
                sum = sum + n;
                if (i == 0 && n % 20'000'000 == 0) beat();
            }
        });
    }
}

// Near misses.

void busy(int variant) {
    ready();
    volatile std::uint64_t sum = 0;
    for (std::uint64_t n = 0;; ++n) {
        sum = sum + n;
        if (n % (10'000'000U * static_cast<unsigned>(variant)) == 0) beat();
    }
}

// Threads wait for work that is handed out by one who sleeps in between.
void pool(int variant) {
    static std::mutex lock;
    static std::condition_variable signal;
    static int work = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2 * variant; ++i) {
        threads.emplace_back([] {
            std::unique_lock held{lock};
            for (;;) {
                signal.wait(held, [] { return work > 0; });
                --work;
            }
        });
    }
    ready();
    for (;;) {
        ::sleep(60);
        const std::scoped_lock held{lock};
        work = 1;
        signal.notify_one();
    }
}

// Two who hand bytes to and fro: as many switches as a livelock, and something gets done.
void ping_pong(int) {
    int there[2];
    int back[2];
    if (::pipe(there) != 0 || ::pipe(back) != 0) return;
    const auto pass = [](int from, int to) {
        char one = 0;
        while (::read(from, &one, 1) == 1) {
            if (::write(to, &one, 1) != 1) return;
        }
    };
    std::jthread other{pass, there[0], back[1]};
    if (::write(there[1], "x", 1) != 1) return;
    ready();
    pass(back[0], there[1]);
}

// A lock held long, but by one who works.
void held_by_worker(int variant) {
    static std::mutex lock;
    static std::atomic<bool> held{false};
    std::jthread works{[variant] {
        const std::scoped_lock mine{lock};
        held = true;
        busy(variant);
    }};
    while (!held) std::this_thread::yield();
    lock.lock();
}

}  // namespace

int main(int argc, char** argv) {
    const std::map<std::string, void (*)(int)> programs{{"mutex_cycle", mutex_cycle},
                                                        {"self_lock", self_lock},
                                                        {"join_cycle", join_cycle},
                                                        {"lost_wakeup", lost_wakeup},
                                                        {"fork_lock", fork_lock},
                                                        {"spin", spin},
                                                        {"livelock", livelock},
                                                        {"oversubscribed", oversubscribed},
                                                        {"busy", busy},
                                                        {"pool", pool},
                                                        {"ping_pong", ping_pong},
                                                        {"held_by_worker", held_by_worker}};
    const auto program = argc == 3 ? programs.find(argv[1]) : programs.end();
    if (program == programs.end()) return 2;
    program->second(std::atoi(argv[2]));
}
