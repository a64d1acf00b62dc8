#include <csignal>
#include <sys/wait.h>

#include "base/log.hh"
#include "sandbox/helper.hh"
#include "sandbox/process.hh"
#include "sys/socket.hh"

namespace assay::sandbox {

void stop_helper(Helper helper, sys::TimePoint deadline) {
    helper.control.reset();
    const sys::Fd pidfd = open_pidfd(helper.pid);
    if (!pidfd) return;
    const auto ended = sys::wait_readable(pidfd, deadline);
    if (!ended || !*ended) {
        log::warn("helper.killed", {{"pid", helper.pid}});
        kill_process(pidfd);
    }
    ::waitpid(helper.pid, nullptr, 0);
}

}  // namespace assay::sandbox
