#include "intake/budget.hh"

#include <algorithm>
#include <utility>

#include "base/log.hh"
#include "base/metrics.hh"
#include "intake/spool.hh"

namespace assay::intake {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds look_every = 1s;  // whether everything stands still

sys::TimePoint now() { return sys::system_clock().now(); }

metrics::Gauge& bytes_gauge() {
    static metrics::Gauge& gauge = metrics::registry().gauge("assay_uploads_in_flight_bytes", "Bytes of uploads that were received and neither kept nor refused yet.");
    return gauge;
}

metrics::Gauge& waiting_gauge() {
    static metrics::Gauge& gauge = metrics::registry().gauge("assay_uploads_held_back", "Uploads whose sockets stand unread because too many bytes are under way.");
    return gauge;
}

void count(std::string_view how) {
    metrics::registry().counter("assay_uploads_held_back_total", "Uploads that were held back, by how it ended: went_on, busy (it took too long), shed (a slow one made room).", {{"how", how}}).add();
}

}  // namespace

Budget::Budget(const BudgetLimits& limits) : limits_{limits}, moved_{now()} {
    (void)bytes_gauge();  // Seen before the first upload, too.
    (void)waiting_gauge();
}

std::size_t Budget::waiting() const {
    const std::lock_guard lock{mutex_};
    return waiting_.size();
}

Budget::Share::Share(Budget& all, std::function<void()> shed) : all_{all}, shed_{std::move(shed)}, began_{now()} {
    const std::lock_guard lock{all_.mutex_};
    all_.shares_.emplace(Order{began_, this}, this);
}

Budget::Share::~Share() {
    const std::lock_guard lock{all_.mutex_};
    all_.shares_.erase(Order{began_, this});
    const std::int64_t held = bytes_.load();
    all_.bytes_ -= held;
    bytes_gauge().add(-held);
    if (held > 0) all_.moved_ = now();
    all_.call_next();
}

void Budget::Share::add(std::int64_t bytes) {
    bytes_ += bytes;
    all_.bytes_ += bytes;
    bytes_gauge().add(bytes);
}

void Budget::Share::all_there() {
    const std::lock_guard lock{all_.mutex_};
    receiving_ = false;
}

loop::Task<bool> Budget::Share::wait() {
    if (room()) co_return true;
    const sys::TimePoint from = now();
    const sys::TimePoint until = from + all_.limits_.wait_max;
    {
        const std::lock_guard lock{all_.mutex_};
        if (all_.waiting_.empty()) {
            all_.moved_ = from;
            log::info("uploads.held_back", {{"bytes", all_.bytes()}, {"bytes_max", all_.limits_.bytes_max}});
        }
        bell_ = std::make_shared<loop::Bell>();
        waiting_ = true;
        all_.waiting_.emplace(Order{began_, this}, this);
        waiting_gauge().add(1);
        all_.call_next();
    }
    for (;;) {
        const sys::TimePoint look = std::min(until, now() + look_every);
        (void)co_await bell_->wait(0, look);
        const std::lock_guard lock{all_.mutex_};
        const sys::TimePoint at = now();
        const bool late = waiting_ && at >= until;
        if (late) {
            all_.waiting_.erase(Order{began_, this});
            waiting_ = false;
            waiting_gauge().add(-1);
        }
        if (!waiting_) {
            paused_ += at - from;
            bell_.reset();
            count(late ? "busy" : "went_on");
            co_return !late;
        }
        all_.shed_one(at);
        all_.call_next();
    }
}

// As many as there is room for; the oldest in any case when nobody else could make room.
void Budget::call_next() {
    std::int64_t room = limits_.bytes_max - bytes();
    const auto could_make_room = [](const auto& one) { return !one.second->waiting_ && one.second->bytes_.load() > 0; };
    bool somebody = waiting_.empty() || std::ranges::any_of(shares_, could_make_room);
    while (!waiting_.empty() && (room > 0 || !somebody)) {
        Share& next = *waiting_.begin()->second;
        waiting_.erase(waiting_.begin());
        next.waiting_ = false;
        next.alone_ = next.alone_ || room <= 0;
        next.bell_->ring();
        waiting_gauge().add(-1);
        room -= limits_.portion_bytes;
        somebody = true;
    }
}

void Budget::shed_one(sys::TimePoint at) {
    if (at - moved_ < limits_.standstill_max) return;
    Share* most = nullptr;
    for (const auto& [order, share] : shares_) {
        if (share->waiting_ || !share->receiving_ || share->leaving_ || !share->shed_) continue;
        const double seconds = sys::ms_of(at - share->began_ - share->paused_) / 1000;
        const auto bytes = static_cast<double>(share->bytes_.load());
        if (bytes <= 0 || bytes >= static_cast<double>(shed_rate_bytes_per_s) * seconds) continue;
        if (most == nullptr || share->bytes_ > most->bytes_) most = share;
    }
    if (most == nullptr) return;
    most->leaving_ = true;
    most->shed_();  // Only makes a note for the connection's own loop.
    moved_ = at;
    count("shed");
}

}  // namespace assay::intake
