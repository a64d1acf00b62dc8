// Silence: whom one asks gives no sign of life. Who asks is blocked meanwhile, in the system or in WinHTTP, so that a thread of its own
// looks and tells; what it tells is decided by SilenceRule (pure).
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "sys/clock.hh"
#include "sys/net.hh"

namespace assay::client {

constexpr std::chrono::seconds silence_told_after{5};
constexpr std::chrono::seconds events_silence_told_after{20};  // of a stream that beats every 15 s

struct Silence {
    enum class Of : unsigned char {
        connecting,  // there is no connection yet
        network,     // what was sent does not arrive
        server,      // it has arrived, or there is no room for it; and there is no answer
    };
    Of of = Of::connecting;
    std::string server;  // its address
    std::chrono::milliseconds since{0};
    std::chrono::milliseconds left{0};  // it is waited for so long yet; of a connection: not known, 0
};
std::string_view to_string(Silence::Of);

class SilenceRule {
public:
    SilenceRule(sys::Duration after, sys::TimePoint now) : after_{after}, heard_{now} {}
    void heard(sys::TimePoint now) {
        heard_ = now;
        told_ = false;
    }
    // What is to be told now; each silence once. `unconfirmed`: of what was sent; nullopt: there is no connection. On a slow way it
    // becomes less while nothing else moves: that is a sign of life.
    std::optional<Silence::Of> look(sys::TimePoint now, std::optional<sys::Unconfirmed> unconfirmed);

private:
    const sys::Duration after_;
    sys::TimePoint heard_;
    std::optional<sys::Unconfirmed> unconfirmed_;
    bool told_ = false;
};

class SilenceWatch {
public:
    // `tell` is called from the watch's thread, and never while heard() or connected() runs or after the end; empty: nothing is watched.
    SilenceWatch(std::chrono::milliseconds after, std::function<void(Silence::Of)> tell);
    ~SilenceWatch();
    SilenceWatch(const SilenceWatch&) = delete;
    SilenceWatch& operator=(const SilenceWatch&) = delete;

    void heard();
    // From here on `unconfirmed` is asked, from the watch's thread.
    void connected(std::function<sys::Unconfirmed()> unconfirmed);

private:
    void run(std::chrono::milliseconds look_every);
    std::mutex mutex_;
    std::condition_variable ending_;
    bool ended_ = false;
    const std::function<void(Silence::Of)> tell_;
    std::function<sys::Unconfirmed()> unconfirmed_;
    SilenceRule rule_;
    std::thread thread_;
};

}  // namespace assay::client
