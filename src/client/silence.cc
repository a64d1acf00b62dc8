#include "client/silence.hh"

#include <algorithm>
#include <utility>

namespace assay::client {
namespace {

constexpr int looks = 5;  // in the time after which a silence is told

}  // namespace

std::string_view to_string(Silence::Of of) {
    switch (of) {
        case Silence::Of::connecting: return "connecting";
        case Silence::Of::network: return "network";
        case Silence::Of::server: return "server";
    }
    return "";
}

std::optional<Silence::Of> SilenceRule::look(sys::TimePoint now, std::optional<sys::Unconfirmed> unconfirmed) {
    if (unconfirmed != unconfirmed_) heard(now);
    unconfirmed_ = unconfirmed;
    if (told_ || now - heard_ < after_) return std::nullopt;
    told_ = true;
    if (!unconfirmed) return Silence::Of::connecting;
    return unconfirmed->on_the_way > 0 ? Silence::Of::network : Silence::Of::server;
}

SilenceWatch::SilenceWatch(std::chrono::milliseconds after, std::function<void(Silence::Of)> tell)
    : tell_{std::move(tell)}, rule_{after, sys::system_clock().now()} {
    if (tell_) thread_ = std::thread{[this, every = std::max(after / looks, std::chrono::milliseconds{1})] { run(every); }};
}

SilenceWatch::~SilenceWatch() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        ended_ = true;
    }
    ending_.notify_one();
    thread_.join();
}

void SilenceWatch::heard() {
    const std::lock_guard lock{mutex_};
    rule_.heard(sys::system_clock().now());
}

void SilenceWatch::connected(std::function<sys::Unconfirmed()> unconfirmed) {
    const std::lock_guard lock{mutex_};
    unconfirmed_ = std::move(unconfirmed);
    rule_.heard(sys::system_clock().now());
}

void SilenceWatch::run(std::chrono::milliseconds look_every) {
    std::unique_lock lock{mutex_};
    while (!ending_.wait_for(lock, look_every, [this] { return ended_; })) {
        const auto unconfirmed = unconfirmed_ ? std::optional{unconfirmed_()} : std::nullopt;
        if (const auto of = rule_.look(sys::system_clock().now(), unconfirmed)) tell_(*of);
    }
}

}  // namespace assay::client
