#include "participant/progress.hh"

#include <algorithm>
#include <cstdio>

#include "base/text.hh"
#include "participant/language.hh"
#include "participant/talk.hh"
#include "sys/program.hh"
#include "sys/terminal.hh"
#include "wording/duration.hh"

namespace assay::participant {
namespace {

using namespace std::chrono_literals;

constexpr sys::Duration rate_after = 1s;  // sooner, a rate is noise
constexpr sys::Duration shown_every = 200ms;

}  // namespace

Progress::Progress(std::int64_t whole, Words words) : whole_{whole}, words_{words}, shown_{sys::is_terminal(2) && variable("TERM") != "dumb"} {}

void Progress::end() {
    if (shown_ && last_ != sys::TimePoint{}) sys::print(stderr, "\r\033[K");
    last_ = {};
}

void Progress::at(std::int64_t done) {
    const sys::TimePoint now = sys::system_clock().now();
    if (!began_) {
        first_ = now;
        before_ = done;
    }
    const bool due = !began_ || now - last_ >= shown_every || done == whole_;
    began_ = true;
    if (!shown_ || !due) return;
    last_ = now;
    sys::print(stderr, "\r" + line(done, now - first_) + "\033[K");
}

std::string Progress::line(std::int64_t done, sys::Duration since) const {
    // A file may have grown since it was listed.
    const std::string percent = std::to_string(whole_ > 0 ? std::min<std::int64_t>(done * 100 / whole_, 100) : 100);
    if (since < rate_after || done <= before_) return told(words_.amount, {size_text(done), size_text(whole_), percent});
    const double rate = static_cast<double>(done - before_) / (sys::ms_of(since) / 1000);
    const auto left_s = static_cast<std::int64_t>(static_cast<double>(std::max<std::int64_t>(whole_ - done, 0)) / rate);
    return told(words_.rate, {size_text(done), size_text(whole_), percent, size_text(static_cast<std::int64_t>(rate)),
                              wording::duration(language(), static_cast<double>(left_s) * 1000)});
}

}  // namespace assay::participant
