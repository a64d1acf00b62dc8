#include "runner/runner.hh"

#include <cstdlib>

#include "base/log.hh"
#include "runner/session.hh"
#include "sys/process.hh"

namespace assay::runner {
namespace {

constexpr int first_descriptor = 3;  // the server's connections, then the sandbox's

Result<> serve(int slots) {
    if (slots < 1 || slots > sandbox::slots_max) return Error{Fault::invalid, "the number of slots is out of range"};
    std::vector<sys::Fd> sockets;
    for (int i = 0; i <= slots; ++i) sockets.emplace_back(first_descriptor + i);
    sandbox::Client sandbox{sys::Fd{first_descriptor + slots + 1}};
    Floor floor;
    return serve_leases(std::move(sockets), "local",
                        [&](int slot, const Work& work, const std::atomic<bool>& stop, int wake_fd, const auto& told) {
                            return evaluate(sandbox, floor, slot, work, stop, wake_fd, told);
                        });
}

}  // namespace

int runner_main(int slots) {
    sys::ignore_stop_signals();
    auto done = sys::forbid_tracing();
    if (done) done = serve(slots);
    if (done) return EXIT_SUCCESS;
    log::error("runner.not_started", {{"why", done.error().text()}});
    return EXIT_FAILURE;
}

}  // namespace assay::runner
