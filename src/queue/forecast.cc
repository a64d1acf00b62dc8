#include "queue/forecast.hh"

#include <algorithm>
#include <map>
#include <queue>
#include <set>
#include <tuple>
#include <utility>

#include "queue/rules.hh"

namespace assay::queue {
namespace {

// A server without a clock: it goes from event to event, and whatever may start does.
class Play {
public:
    Play(const Situation& situation, const Tempo& tempo)
        : s_{situation}, tempo_{tempo}, now_ms_{situation.now_ms}, expected_(situation.waiting.size()) {}

    std::vector<std::optional<std::int64_t>> play() {
        if (s_.slots <= 0 || s_.draining || s_.disk_reserve || s_.pressure || !begin()) return expected_;
        for (;;) {
            while (start_one()) {}
            if (events_.empty()) return expected_;
            now_ms_ = std::max(now_ms_, events_.top().at_ms);
            if (now_ms_ - s_.now_ms > tempo_.reach_ms) return expected_;
            while (!events_.empty() && events_.top().at_ms <= now_ms_) {
                const Event event = events_.top();
                events_.pop();
                if (event.waking) join(*event.waking);
                else end(event);
            }
        }
    }

private:
    struct Event {
        std::int64_t at_ms = 0;
        std::size_t person = 0;               // whose job ends
        bool alone = false;
        std::optional<std::size_t> waking;    // or the job that has backed off long enough
        auto operator<=>(const Event&) const = default;
    };
    // As in_turn orders the first ones of each.
    using Turn = std::tuple<std::int64_t, bool, std::int64_t, std::size_t>;  // since when, had one since, place, flow
    struct Line {
        std::set<std::pair<std::int64_t, std::size_t>> jobs;  // by place
        std::int64_t turn_ms = 0;
        std::optional<Turn> ready;            // as it stands in ready_
        std::size_t running = 0;              // of this person
        std::set<std::size_t> blocked;        // lines whose head is this person's, who runs one
    };

    // Lines of people and of rejudges by number.
    std::size_t line_of(const Flow& flow) {
        const auto [entry, fresh] = numbers_.try_emplace(flow, lines_.size());
        if (fresh) lines_.emplace_back();
        return entry->second;
    }

    // false: no length is known yet.
    bool begin() {
        for (const store::QueuedJob& job : s_.running) {
            const auto left = tempo_.left(job.course, job.module, std::max<std::int64_t>(s_.now_ms - job.job.started_ms, 0));
            if (!left) return false;
            run(*left, job);
        }
        for (std::size_t i = 0; i < s_.waiting.size(); ++i) {
            const store::QueuedJob& job = s_.waiting[i];
            if (pause_of(s_, job) != nullptr || !fits_disk(s_, job) || !whole(job)) continue;
            if (backing_off(s_, job)) events_.push({.at_ms = wakes_ms(s_, job), .waking = i});
            else join(i);
        }
        return true;
    }

    std::optional<Left> whole(const store::QueuedJob& job) {
        const auto [entry, fresh] = lengths_.try_emplace({job.course, job.module});
        if (fresh) entry->second = tempo_.left(job.course, job.module, 0);
        return entry->second;
    }

    // From now on.
    void run(const Left& left, const store::QueuedJob& job) {
        const std::size_t person = line_of(person_of(job));
        ++lines_[person].running;
        ++running_;
        alone_ += alone(job) ? 1U : 0U;
        work_ms_ += left.ms;
        guessed_ms_ += left.guessed ? left.ms : 0;
        events_.push({.at_ms = now_ms_ + left.ms + tempo_.between_ms, .person = person, .alone = alone(job)});
    }

    void end(const Event& event) {
        --running_;
        alone_ -= event.alone ? 1U : 0U;
        --lines_[event.person].running;
        for (const std::size_t line : std::exchange(lines_[event.person].blocked, {})) offer(line);
    }

    void join(std::size_t index) {
        const store::QueuedJob& job = s_.waiting[index];
        const std::size_t number = line_of(flow_of(job));
        Line& line = lines_[number];
        line.jobs.emplace(job.job.place, index);
        if (line.turn_ms == 0) line.turn_ms = job.turn_ms;
        offer(number);
    }

    // Puts the head of the line among those that may start, or where it will be found once it may.
    void offer(std::size_t number) {
        if (lines_[number].ready) ready_.erase(*std::exchange(lines_[number].ready, {}));
        if (lines_[number].jobs.empty()) return;
        const auto [place, index] = *lines_[number].jobs.begin();
        const store::QueuedJob& job = s_.waiting[index];
        Line& person = lines_[line_of(person_of(job))];  // May move the lines: none is held over it.
        if (person.running > 0) {
            person.blocked.insert(number);
            return;
        }
        Line& line = lines_[number];
        line.ready = Turn{std::max(line.turn_ms, job.received_ms), line.turn_ms >= job.received_ms, place, number};
        ready_.insert(*line.ready);
    }

    // Or takes note that one may not; false: nothing more starts at this moment.
    bool start_one() {
        if (std::cmp_greater_equal(running_, s_.slots) || alone_ > 0) return false;
        for (const Turn& turn : ready_) {
            const std::size_t number = std::get<std::size_t>(turn);
            const std::size_t index = lines_[number].jobs.begin()->second;
            const store::QueuedJob& job = s_.waiting[index];
            if (lines_[line_of(person_of(job))].running > 0) {  // Since it was offered.
                offer(number);
                return true;
            }
            if (kept_free(s_.slots, running_, job)) continue;
            if (alone(job) && running_ > 0) return false;
            start(number, index);
            return true;
        }
        return false;
    }

    void start(std::size_t number, std::size_t index) {
        const store::QueuedJob& job = s_.waiting[index];
        if (guessed_ms_ * guessed_share <= work_ms_) expected_[index] = now_ms_;
        lines_[number].jobs.erase(lines_[number].jobs.begin());
        lines_[number].turn_ms = now_ms_;
        run(*whole(job), job);
        offer(number);
    }

    const Situation& s_;
    const Tempo& tempo_;
    std::int64_t now_ms_;
    std::vector<std::optional<std::int64_t>> expected_;
    std::map<std::pair<CourseId, ModuleId>, std::optional<Left>> lengths_;
    std::map<Flow, std::size_t> numbers_;
    std::vector<Line> lines_;
    std::set<Turn> ready_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::size_t running_ = 0;
    std::size_t alone_ = 0;
    std::int64_t work_ms_ = 0;                         // of what runs, and of what has started
    std::int64_t guessed_ms_ = 0;                      // of that
};

}  // namespace

std::vector<std::optional<std::int64_t>> expected_starts(const Situation& situation, const Tempo& tempo) {
    return Play{situation, tempo}.play();
}

}  // namespace assay::queue
