#include "alert/watch.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hh"

namespace assay::alert {
namespace {

constexpr std::int64_t digest_fresh_ms = 3'000;

double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000; }

}  // namespace

void Watch::probed(Sight sight, std::optional<bool> reference_answers, std::int64_t now_ms) {
    sight_ = sight;
    reference_answers_ = reference_answers;
    if (sight == Sight::answers) answered_ms_ = now_ms;
}

bool Watch::heard(const Digest& digest, std::int64_t now_ms) {
    if (last_ && !is_news(*last_, digest)) return false;
    last_ = digest;
    digest_ms_ = now_ms;
    return true;
}

void Watch::add_to(Figures& figures, std::int64_t now_ms) const {
    const std::int64_t last_ms = digests_ && last_ ? std::max(answered_ms_, digest_ms_) : answered_ms_;
    figures.set("assay_silence_seconds", seconds(now_ms - last_ms));
    figures.set("assay_probe_silence_seconds", seconds(now_ms - answered_ms_));
    if (digests_) figures.set("assay_digest_silence_seconds", seconds(now_ms - digest_ms_));
    figures.findings["server_down"] = {.cause = cause(now_ms), .age_ms = now_ms - (alive(now_ms) ? answered_ms_ : last_ms)};
    figures.findings["digest_lost"] = {
        .cause = last_ ? "none came since " + duration_text(static_cast<double>(now_ms - digest_ms_)) : "none ever came",
        .age_ms = now_ms - digest_ms_};
}

bool Watch::alive(std::int64_t now_ms) const { return digests_ && last_ && now_ms - digest_ms_ <= digest_fresh_ms; }

std::string Watch::cause(std::int64_t now_ms) const {
    std::string text = meaning(now_ms);
    if (!last_) return text;
    text += fmt::format(
        "; last sign of life {} ago: {} run, {} wait, {:.1f} % of memory free, disk {:.1f} % full, loops {} ms late",
        duration_text(static_cast<double>(now_ms - digest_ms_)), last_->running, last_->waiting,
        last_->memory_permille / 10.0, last_->disk_permille / 10.0, last_->loop_lag_ms);
    if (!last_->cause.empty()) text += "; then known: " + escaped(last_->cause);
    return text;
}

std::string Watch::meaning(std::int64_t now_ms) const {
    const char* const still = alive(now_ms) ? ", while its signs of life go on" : "";
    switch (sight_) {
        case Sight::answers: return "it answers again";
        case Sight::proxy_only:
            return fmt::format("what stands before the server answers, the server does not{}", still);
        case Sight::refused:
            return fmt::format("the process is dead: the host answers, and nothing listens at the port{}", still);
        case Sight::mute:
            return fmt::format("the process is frozen: connections are taken, and nobody answers{}", still);
        case Sight::no_network: return "network: this watcher's own machine has no way out";
        case Sight::no_name: return "network: the server's name cannot be looked up from here";
        case Sight::untrusted: return "its certificate is not trusted";
        case Sight::no_host:
        case Sight::silent: break;
    }
    if (alive(now_ms)) return "network: the host takes no connection from here, while its signs of life go on";
    if (reference_answers_ == false) return "network: neither the host nor the reference answers from here";
    if (reference_answers_ == true) return "the host is silent, while the network is there (the reference answers)";
    return "the host is silent: dead, frozen, or not reachable from here";
}

}  // namespace assay::alert
