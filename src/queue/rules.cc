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

std::int64_t memory_bytes(const Situation& s, const store::QueuedJob& job) {
    if (s.memory_bytes == nullptr) return 0;
    const auto found = s.memory_bytes->find(job.revision);
    return found == s.memory_bytes->end() ? 0 : found->second;
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

std::int64_t promised_bytes(const Situation& s) {
    std::int64_t sum = 0;
    for (const store::QueuedJob& job : s.running) sum += memory_bytes(s, job);
    return sum;
}

bool fits_memory(const Situation& s, const store::QueuedJob& job) {
    return s.memory_bytes_max == 0 || s.running.empty() || promised_bytes(s) + memory_bytes(s, job) <= s.memory_bytes_max;
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
