// Config: the tables [alert] and [sentinel] of assay.toml (docs/operating/alerts.md). A wrong key or value is an error that names it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alert/receiver.hh"
#include "alert/rule.hh"
#include "base/result.hh"

namespace assay::alert {

struct Config {
    std::string host;  // names the machine in messages; empty: its own name
    std::vector<Receiver> receivers;
    std::vector<Rule> rules;  // the shipped ones as they were changed, and one's own
    std::string digest_to;  // HOST:PORT of the watcher that is sent signs of life; empty: none
    std::string digest_secret;  // that signs them; at least secret_bytes_min
};

struct SentinelConfig {
    std::string name;  // of the server in messages; empty: the host of its URL
    std::string digest_listen;  // ADDR:PORT; empty: no digest is expected
    std::string digest_secret;
    std::string reference;  // HOST:PORT of a third machine: whether the network is there; empty: not asked
    std::string state;  // a file; empty: nothing outlasts a restart
    std::vector<Receiver> receivers;  // those of [alert]
};

constexpr std::size_t secret_bytes_min = 16;

// `name`: of the file, for errors. Errors: invalid.
Result<Config> config_from_toml(const std::string& text, const std::string& name);
Result<SentinelConfig> sentinel_config_from_toml(const std::string& text, const std::string& name);

}  // namespace assay::alert
