// Supervision: what the service manager that started the server is told, and the listening socket that it keeps over a restart, so that
// nobody who connects meanwhile is refused.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.hh"
#include "http/server.hh"
#include "serve/pulse.hh"
#include "sys/fd.hh"
#include "sys/service_manager.hh"

namespace assay::serve {

// The socket for the public address: one that a socket unit of the manager's made, whatever its address; else the one that it kept for
// the last start, if `wanted` is still its address; else a new one. The manager is asked to keep it. Errors: as sys::listen_tcp.
Result<sys::Fd> public_listener(sys::ServiceManager& manager, const http::Server::Address& wanted);

// Feeds the manager's watchdog, where it has one, a few times within its time: only while every loop has turned within half of
// that time and the server answers /healthz through its own listening socket. The manager ends and restarts a server that is not fed.
// What hangs on a disk alone (the store, uploads being written) does not count: a restart would not mend it.
class Watchdog {
public:
    // `address`: where the server listens. Both references outlive this.
    Watchdog(const sys::ServiceManager& manager, const Pulse& pulse, http::Server::Address address);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

private:
    void run();
    std::string trouble() const;  // empty: all is well

    const sys::ServiceManager& manager_;
    const Pulse& pulse_;
    const http::Server::Address address_;
    const std::chrono::microseconds every_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;  // guarded by mutex_
    std::thread thread_;     // last
};

}  // namespace assay::serve
