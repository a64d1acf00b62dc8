// Keeper: looks at the figures, keeps what there is to say on disk before it says it, and says it to each receiver.
//
// One thread looks; each receiver has a thread of its own, so that a dead one holds up nobody. Messages and the engine's memory are
// saved in one piece: after a kill -9 nothing is said twice that was noted as taken, and nothing is forgotten. Where the disk takes
// nothing, all goes on in memory.
// Threading: safe from every thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alert/engine.hh"
#include "alert/receiver.hh"
#include "base/result.hh"
#include "sys/clock.hh"

namespace assay::alert {

struct KeeperParts {
    std::string host;
    std::vector<Rule> rules;
    std::vector<Receiver> receivers;
    Pace pace;
    std::chrono::milliseconds look_every{5000};
    std::string state_path;  // empty: nothing is kept
    std::string zone;  // of times that people read
    Source source;  // called on the looking thread; may block
    std::function<void(const std::string& rule, bool fires)> on_change = {};  // on the looking thread; must not wait
};

class Keeper {
public:
    explicit Keeper(KeeperParts);
    ~Keeper();  // what is being sent gets a second; it is sent again at the next start if that does not do
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    // {rules: [{name, severity, state, since, cause, evidence}], incidents, silences, receivers: [{name, type, from, waiting, error}], dropped}
    std::string list_json() const;
    // Sends a test message to one receiver, or to all ("" ), and waits for each answer: a line each. Errors: missing.
    Result<std::string> test(const std::string& receiver);
    Result<std::string> silence(const std::string& match, std::int64_t for_ms, const std::string& author,
                                const std::string& reason);
    Result<std::string> unsilence(const std::string& id);

    // For the digest: the cause of the gravest incident, and how many are open. Never waits.
    struct Summary {
        int incidents = 0;
        std::string cause;
    };
    Summary summary() const;
    // How long the message that has waited longest does.
    std::int64_t undelivered_ms() const;

private:
    struct Inner;
    std::shared_ptr<Inner> inner_;
};

// The same for people, from list_json.
Result<std::string> list_text(const std::string& json);

}  // namespace assay::alert
