// The service manager that started this process, as systemd's sd_notify(3) and sd_listen_fds(3) describe it: datagrams to NOTIFY_SOCKET,
// descriptors from 3 on. Without the library: it is two dozen lines, and a server needs no more of it.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::sys {

struct PassedDescriptor {
    std::string name;  // as FDNAME said, or the name of the socket unit; "unknown" when nobody named it
    Fd fd;             // close-on-exec
};

class ServiceManager {
public:
    // Reads the environment and takes what is meant for us out of it, so that no child takes it for its own. Call it once, before any
    // thread and before any descriptor is opened. Without a manager, or with one that cannot be reached, nothing is told to anybody.
    static ServiceManager from_environment();

    bool present() const { return static_cast<bool>(socket_); }
    // How soon each WATCHDOG=1 must follow the last; nullopt: none is wanted.
    std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }
    std::vector<PassedDescriptor> take_descriptors() { return std::exchange(descriptors_, {}); }

    // Lines as sd_notify(3) has them, such as "READY=1". Never waits: a manager that does not read loses it.
    // Errors: busy (it does not read), unreachable, system. Without a manager there is nothing to do. Any thread.
    Result<> tell(std::string_view lines, std::span<const int> descriptors = {}) const;

private:
    Fd socket_;
    std::optional<std::chrono::microseconds> watchdog_;
    std::vector<PassedDescriptor> descriptors_;
};

}  // namespace assay::sys
