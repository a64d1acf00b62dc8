#include "alert/keeper.hh"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "alert/listing.hh"
#include "alert/outbox.hh"
#include "alert/state.hh"
#include "base/log.hh"
#include "base/text.hh"
#include "sys/kept_record.hh"
#include "sys/random.hh"

namespace assay::alert {
namespace {

constexpr std::chrono::seconds goodbye_max{1};
constexpr std::chrono::hours idle_max{1};

std::map<std::string, int> rates_of(const std::vector<Receiver>& receivers) {
    std::map<std::string, int> rates;
    for (const Receiver& receiver : receivers) rates[receiver.name] = receiver.per_minute;
    return rates;
}

// What of incidents is worth a write: that they are there, and what was said of them.
std::string mark_of(const std::vector<Incident>& incidents) {
    std::string mark;
    for (const Incident& it : incidents) mark += fmt::format("{} {} {};", it.id, it.messages, it.quiet_since_ms);
    return mark;
}

// What is open, for the digest.
Keeper::Summary summary_of(const std::vector<Incident>& incidents) {
    Keeper::Summary summary;
    const Incident* gravest = nullptr;
    for (const Incident& it : incidents) {
        if (it.quiet_since_ms != 0) continue;
        ++summary.incidents;
        if (gravest == nullptr || it.severity > gravest->severity) gravest = &it;
    }
    if (gravest == nullptr) return summary;
    const Part& part = gravest->parts.front();
    summary.cause = part.finding.cause.empty() ? part.rule : part.rule + ": " + part.finding.cause;
    return summary;
}

}  // namespace

struct Keeper::Inner {
    explicit Inner(KeeperParts given)
        : parts{std::move(given)}, engine{parts.host, parts.rules, parts.pace}, outbox{rates_of(parts.receivers)} {
        started = sys::system_clock().now();
        started_ms = sys::to_ms(sys::system_clock().wall());
    }

    std::int64_t now_ms() const {
        return started_ms +
               std::chrono::duration_cast<std::chrono::milliseconds>(sys::system_clock().now() - started).count();
    }

    void load() {
        if (parts.state_path.empty()) return;
        auto opened = sys::KeptRecord::open(parts.state_path, state_bytes_max);
        if (!opened) {
            log::error("alerts.not_kept", {{"error", opened.error().text()},
                                           {"consequence", "messages that wait are lost with this process"}});
            return;
        }
        record.emplace(std::move(*opened));
        if (!record->content()) return;
        auto state = state_from_json(*record->content());
        if (!state) {
            log::error("alerts.state_unreadable", {{"error", state.error().text()}});
            return;
        }
        engine.remember(std::move(state->memory), now_ms());
        outbox.remember(std::move(state->posted), now_ms());
        mark = mark_of(engine.incidents());
    }

    // Under the mutex. What cannot be saved stays in memory, and the next save has it.
    void save() {
        if (!record || stopping) return;
        const auto saved = record->save(to_json(State{engine.memory(), outbox.waiting()}));
        if (!saved && !save_failed) log::error("alerts.not_saved", {{"error", saved.error().text()}});
        save_failed = !saved;
    }

    void tell_changes() {
        std::vector<std::string> now;
        for (const Standing& standing : engine.standings()) {
            if (standing.state == Standing::State::firing) now.push_back(standing.rule->name);
        }
        const auto tell = [&](const std::vector<std::string>& of, const std::vector<std::string>& but, bool fires) {
            for (const std::string& rule : of) {
                if (std::ranges::find(but, rule) == but.end()) parts.on_change(rule, fires);
            }
        };
        tell(firing, now, false);
        tell(now, firing, true);
        firing = std::move(now);
    }

    void look() {
        Figures figures;
        parts.source(figures);
        const std::lock_guard lock{mutex};
        const std::int64_t at_ms = now_ms();
        const auto messages = engine.look(figures, at_ms);
        if (parts.on_change) tell_changes();
        {
            const std::lock_guard summary_lock{
                summary_mutex};  // Before anything is written: the digest must not wait for the disk.
            summary = summary_of(engine.incidents());
        }
        for (const Message& message : messages) {
            log::warn("alert.told", {{"id", message.id},
                                     {"kind", to_string(message.kind)},
                                     {"severity", to_string(message.severity)},
                                     {"cause", message.cause}});
            outbox.post(message, receivers_of(message), at_ms);
        }
        std::string now_mark = mark_of(engine.incidents());
        if (messages.empty() && now_mark == mark && !save_failed) return;
        mark = std::move(now_mark);
        save();
        changed.notify_all();
    }

    std::vector<std::string> receivers_of(const Message& message) const {
        std::vector<std::string> names;
        for (const Receiver& receiver : parts.receivers) {
            if (message.severity >= receiver.from) names.push_back(receiver.name);
        }
        return names;
    }

    void run_looks() {
        std::unique_lock lock{mutex};
        while (!stopping) {
            lock.unlock();
            look();
            lock.lock();
            changed.wait_for(lock, parts.look_every, [this] { return stopping; });
        }
    }

    void run_receiver(std::size_t index) {
        const Receiver& receiver = parts.receivers[index];
        std::unique_lock lock{mutex};
        while (!stopping) {
            const std::int64_t at_ms = now_ms();
            if (const auto message = outbox.due(receiver.name, at_ms)) {
                outbox.began(receiver.name, at_ms);
                ++sending;
                lock.unlock();
                const auto delivered = deliver(receiver, *message, parts.zone, at_ms);
                lock.lock();
                --sending;
                note(receiver, *message, delivered);
                changed.notify_all();
                continue;
            }
            const auto next_ms = outbox.next_ms(receiver.name, at_ms);
            const auto wait =
                next_ms ? std::chrono::milliseconds{*next_ms - at_ms} : std::chrono::milliseconds{idle_max};
            changed.wait_for(lock, wait);
        }
    }

    void note(const Receiver& receiver, const Message& message, const Result<>& delivered) {
        if (delivered) {
            log::info("alert.delivered", {{"id", message.id}, {"receiver", receiver.name}});
            outbox.taken(receiver.name, message.id);
        } else {
            log::warn("alert.not_delivered",
                      {{"id", message.id}, {"receiver", receiver.name}, {"error", delivered.error().text()}});
            outbox.failed(receiver.name, message.id, delivered.error().text(), now_ms());
        }
        save();
    }

    KeeperParts parts;
    sys::TimePoint started;
    std::int64_t started_ms = 0;
    std::mutex mutex;                      // guards what follows
    std::condition_variable changed;
    Engine engine;
    std::vector<std::string> firing;       // rules, as was told last
    Outbox outbox;
    std::optional<sys::KeptRecord> record;
    std::string mark;
    bool save_failed = false;
    bool stopping = false;
    int sending = 0;
    std::mutex summary_mutex;              // guards what follows; never held while anything waits
    Summary summary;
    std::vector<std::thread> threads;      // of this object's maker alone
};

Keeper::Keeper(KeeperParts parts) : inner_{std::make_shared<Inner>(std::move(parts))} {
    inner_->load();
    for (std::size_t i = 0; i < inner_->parts.receivers.size(); ++i) {
        inner_->threads.emplace_back([inner = inner_, i] { inner->run_receiver(i); });
    }
    inner_->threads.emplace_back([inner = inner_] { inner->run_looks(); });
}

Keeper::~Keeper() {
    std::vector<std::thread> threads = std::move(inner_->threads);
    threads.back().swap(threads.front());  // The looking one first: it uses what others own.
    bool all_done = false;
    {
        std::unique_lock lock{inner_->mutex};
        inner_->changed.wait_for(lock, goodbye_max, [this] { return inner_->sending == 0; });
        inner_->stopping = true;
        all_done = inner_->sending == 0;
    }
    inner_->changed.notify_all();
    threads.front().join();
    // One that still talks to a dead receiver is left to end by itself; it writes nothing any more.
    for (std::thread& thread : std::span{threads}.subspan(1)) all_done ? thread.join() : thread.detach();
}

std::string Keeper::list_json() const {
    const std::lock_guard lock{inner_->mutex};
    return listing_json(inner_->engine, inner_->outbox, inner_->parts.receivers, inner_->parts.zone);
}

Result<std::string> Keeper::test(const std::string& receiver) {
    std::string lines;
    bool found = false;
    const std::int64_t at_ms = inner_->now_ms();
    const std::string id = "test-" + sys::random_text(16, "0123456789abcdef");
    const Message message{.id = id,
                          .incident = id,
                          .kind = Message::Kind::test,
                          .host = inner_->parts.host,
                          .cause = "test",
                          .since_ms = at_ms,
                          .at_ms = at_ms};
    for (const Receiver& it : inner_->parts.receivers) {
        if (!receiver.empty() && it.name != receiver) continue;
        found = true;
        const auto delivered = deliver(it, message, inner_->parts.zone, at_ms);
        lines += fmt::format("{} ({}): {}\n", it.name, to_string(it.kind),
                             delivered ? "taken" : "failed: " + escaped(delivered.error().text()));
    }
    if (!found && receiver.empty())
        return Error{Fault::missing, "no receiver is configured: [alert.receivers.NAME] of assay.toml"};
    if (!found) return Error{Fault::missing, fmt::format("there is no receiver '{}'", escaped(receiver, 64))};
    return lines;
}

Result<std::string> Keeper::silence(const std::string& match, std::int64_t for_ms, const std::string& author,
                                    const std::string& reason) {
    const std::lock_guard lock{inner_->mutex};
    const std::int64_t at_ms = inner_->now_ms();
    const std::string id = sys::random_text(8, "0123456789abcdef");
    ASSAY_CHECK(inner_->engine.silence({id, match, author, reason, at_ms, at_ms + for_ms}, at_ms));
    inner_->save();
    return fmt::format("silence {} of {} for {}", id, match, duration_text(static_cast<double>(for_ms)));
}

Result<std::string> Keeper::unsilence(const std::string& id) {
    const std::lock_guard lock{inner_->mutex};
    ASSAY_TRY(const Silence ended, inner_->engine.unsilence(id));
    inner_->save();
    return fmt::format("silence {} of {} ended", ended.id, ended.match);
}

Keeper::Summary Keeper::summary() const {
    const std::lock_guard lock{inner_->summary_mutex};
    return inner_->summary;
}

std::int64_t Keeper::undelivered_ms() const {
    const std::lock_guard lock{inner_->mutex};
    return inner_->outbox.oldest_ms(inner_->now_ms());
}

}  // namespace assay::alert
