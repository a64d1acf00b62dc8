// Sentinel: watches a server from another machine and tells staff that it is gone, within 8 s, with the last known cause.
//
// It probes the server each second and takes its signs of life (digest.hh). What both mean is watch.hh's to say; rules, messages and
// receivers are those of a server.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "alert/config.hh"
#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::alert {

// Runs until `stop` becomes readable. `ready` is told once: the UDP port that is listened at, 0 without one. Errors: invalid (the URL),
// conflict (the port).
Result<> run_sentinel(const std::string& url, const SentinelConfig&, const std::string& zone, const sys::Fd& stop,
                      const std::function<void(std::uint16_t)>& ready);

}  // namespace assay::alert
