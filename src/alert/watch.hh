// Watch: what the sentinel saw of a server, and what that means. Pure: time is given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "alert/digest.hh"
#include "alert/figures.hh"

namespace assay::alert {

// What came of one probe from outside.
enum class Sight {
    answers,      // the server itself
    proxy_only,   // something answers for it that cannot reach it
    refused,      // the host answers, nothing listens
    mute,         // the connection is taken, and nobody answers
    silent,       // not even a connection
    no_host,      // a router says that it is not there
    no_network,   // no way out of the watcher's own machine
    no_name,
    untrusted,    // its certificate
};

class Watch {
public:
    // `digests`: whether any are expected. Until the first sign of life time counts from `now_ms`.
    Watch(bool digests, std::int64_t now_ms) : digests_{digests}, answered_ms_{now_ms}, digest_ms_{now_ms} {}

    // `reference_answers`: of the third machine, when the probe failed and one is named.
    void probed(Sight, std::optional<bool> reference_answers, std::int64_t now_ms);
    // One whose signature is right. false: it was sent again by somebody, and counts for nothing.
    bool heard(const Digest&, std::int64_t now_ms);

    // assay_silence_seconds (of probes and digests both), assay_probe_silence_seconds, assay_digest_silence_seconds, and what is told of
    // server_down and digest_lost.
    void add_to(Figures&, std::int64_t now_ms) const;

    // What the silence means, with the last known state of the server.
    std::string cause(std::int64_t now_ms) const;

private:
    std::string meaning(std::int64_t now_ms) const;
    bool alive(std::int64_t now_ms) const;  // by its digests
    bool digests_;
    std::int64_t answered_ms_;
    std::int64_t digest_ms_;
    Sight sight_ = Sight::answers;
    std::optional<bool> reference_answers_;
    std::optional<Digest> last_;
};

}  // namespace assay::alert
