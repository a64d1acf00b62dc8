#include "queue/rules.hh"

#include <algorithm>

namespace assay::queue {
namespace {

// Milliseconds that a fault still keeps it waiting. Of a clock that was set back: nothing.
std::int64_t fault_wait_ms(const Situation& s, const store::QueuedJob& job) {
    if (job.job.faults == 0 || job.job.cuts_in_a_row > 0 || !job.job.reason || s.now_ms < job.job.reason_since_ms) return 0;
    const std::int64_t backoff_ms = job.job.faults == 1 ? fault_backoff_first_ms : fault_backoff_ms;
    return std::max<std::int64_t>(job.job.reason_since_ms + backoff_ms - s.now_ms, 0);
}

}  // namespace

bool rejudged(const store::QueuedJob& job) { return job.job.generation > 1; }

Flow flow_of(const store::QueuedJob& job) {
    return {job.course, rejudged(job) ? std::nullopt : std::optional{job.participant}};
}

Flow person_of(const store::QueuedJob& job) { return {job.course, job.participant}; }

bool alone(const store::QueuedJob& job) {
    return job.job.cuts_in_a_row >= cuts_alone || job.job.reason == model::Reason::pressure;
}

Needs needs(const Situation& s, const store::QueuedJob& job) {
    if (s.needs == nullptr) return {};
    const auto found = s.needs->find(job.revision);
    return found == s.needs->end() ? Needs{} : found->second;
}

Needs promised(const Situation& s) {
    Needs sum;
    for (const store::QueuedJob& job : s.running) {
        const Needs own = needs(s, job);
        sum.memory_bytes += own.memory_bytes;
        sum.scratch_bytes += own.scratch_bytes;
    }
    return sum;
}

bool fits_memory(const Situation& s, const store::QueuedJob& job) {
    return s.memory_bytes_max == 0 || s.running.empty() || promised(s).memory_bytes + needs(s, job).memory_bytes <= s.memory_bytes_max;
}

bool fits_disk(const Situation& s, const store::QueuedJob& job) {
    const std::int64_t own = needs(s, job).scratch_bytes;
    return own == 0 || !s.scratch_room_bytes || promised(s).scratch_bytes + own <= *s.scratch_room_bytes;
}

bool kept_free(int slots, std::size_t running, const store::QueuedJob& job) {
    return rejudged(job) && slots > 1 && std::cmp_greater_equal(running + 1, slots);
}

std::int64_t may_start_ms(const Situation& s, const store::QueuedJob& job) {
    return s.server_started_ms + cut_backoff_ms(job.job.cuts_in_a_row);
}

bool cut_often(const Situation& s, const store::QueuedJob& job) {
    return job.job.cuts_in_a_row >= cuts_backoff_from && s.now_ms < may_start_ms(s, job);
}

bool backing_off(const Situation& s, const store::QueuedJob& job) { return cut_often(s, job) || fault_wait_ms(s, job) > 0; }

std::int64_t wakes_ms(const Situation& s, const store::QueuedJob& job) {
    return cut_often(s, job) ? may_start_ms(s, job) : s.now_ms + fault_wait_ms(s, job);
}

const store::Standing* pause_of(const Situation& s, const store::QueuedJob& job) {
    const auto holds_it = [&job](const store::Standing& it) {
        // An image that is not there stops those alone that run in it.
        const bool of_its_revision = it.paused != model::Reason::image || it.revision == job.revision;
        return it.course == job.course && it.module == job.module && of_its_revision;
    };
    const auto found = std::ranges::find_if(s.paused, holds_it);
    return found == s.paused.end() ? nullptr : &*found;
}

}  // namespace assay::queue
