// Beacon: sends the server's sign of life to the watcher on another machine, one datagram a second. Its thread asks neither disk nor
// store, so that it goes on while those hang.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "alert/digest.hh"

namespace assay::serve {

// What the last look at the figures found; written by who looks, read by the beacon.
struct Vitals {
    std::atomic<std::uint32_t> waiting{0};
    std::atomic<std::uint32_t> running{0};
    std::atomic<std::uint16_t> memory_permille{0};
    std::atomic<std::uint16_t> disk_permille{0};
};

class Beacon {
public:
    // `to`: HOST:PORT. `fill`: all but started_ms, sequence and at_ms; must not wait. Errors at sending are the watcher's business.
    Beacon(std::string to, std::string secret, std::function<alert::Digest()> fill);
    ~Beacon();
    Beacon(const Beacon&) = delete;
    Beacon& operator=(const Beacon&) = delete;

private:
    void run();
    const std::string to_;
    const std::string secret_;
    const std::function<alert::Digest()> fill_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;  // guarded
    std::thread thread_;  // last
};

}  // namespace assay::serve
