// The caller's side of the helper: starting it, asking it, ending it.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

#include "base/log.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/disk_scratch.hh"
#include "sandbox/helper.hh"
#include "sandbox/process.hh"
#include "sandbox/protocol.hh"
#include "sandbox/provisions.hh"
#include "sys/socket.hh"

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr auto ready_time_max = 20s;
constexpr auto end_time_max = 40s;

}  // namespace

Result<Helper> start_helper(const HelperConfig& config) {
    Result<Provisions> given = provide(config);
    if (!given) return Error{Fault::unsupported, "the sandbox helper: " + given.error().text()};
    ASSAY_TRY(auto control, sys::socket_pair(sys::PairKind::seqpacket));
    ASSAY_TRY(Spawned process, clone_process());
    if (process.pid == 0) {
        close_all_except({control.second.get()});
        ::_exit(helper_main(config, std::move(given).value(), std::move(control.second)));
    }
    control.second.reset();
    const auto give_up = [&](Error error) {
        kill_process(process.pidfd);
        (void)reap(process.pidfd, sys::system_clock().now() + end_time_max);
        return error;
    };
    Result<bool> answered = sys::wait_readable(control.first, sys::system_clock().now() + ready_time_max);
    if (!answered) return give_up(answered.take_error());
    if (!*answered) return give_up({Fault::timed_out, "the sandbox helper does not become ready"});
    Result<Received<FromHelper>> ready = receive<FromHelper>(control.first);
    if (!ready) return give_up(ready.take_error().in("start the sandbox helper"));
    if (ready->message.done == 0) return give_up({Fault::unsupported, "the sandbox helper: " + std::string{ready->message.text.view()}});
    return Helper{.control = std::move(control.first), .pid = process.pid};
}

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

std::string no_disk_scratch() {
    const std::optional<Lack> lack = lack_for_disk_scratch(find_hierarchies());
    return lack ? "scratch on disk cannot be had: " + lack->what + "; " + lack->cure : "";
}

std::string commands_memory_directory(const std::string& directory_id) {
    for (const std::string& group : find_groups(find_hierarchies(), commands_group(directory_id))) {
        if (::access((group + "/memory.stat").c_str(), R_OK) == 0) return group;
    }
    return "";
}

Result<> end_commands(const Helper& helper, int slot) {
    ToHelper order{};
    order.kind = ToHelper::Kind::end_commands;
    order.slot = static_cast<std::uint32_t>(slot);
    return send(helper.control, order);
}

Result<sys::Fd> connect_client(const Helper& helper) {
    ASSAY_TRY(auto connection, sys::socket_pair(sys::PairKind::seqpacket));
    ToHelper order{};
    order.kind = ToHelper::Kind::connect;
    const int passed[] = {connection.second.get()};
    ASSAY_CHECK(send(helper.control, order, passed));
    return std::move(connection.first);
}

Result<Role> spawn_role(const Helper& helper, const std::string& argument, const std::vector<int>& descriptors) {
    if (descriptors.size() >= sys::passed_fds_max)
        return Error{Fault::invalid,
                     "a role takes at most " + std::to_string(sys::passed_fds_max - 1) + " descriptors"};
    ToHelper order{};
    order.kind = ToHelper::Kind::spawn_role;
    if (!order.argument.set(argument)) return Error{Fault::invalid, "a role's name is at most 64 bytes"};
    ASSAY_CHECK(send(helper.control, order, descriptors));
    ASSAY_TRY(const bool answered, sys::wait_readable(helper.control, sys::system_clock().now() + ready_time_max));
    if (!answered) return Error{Fault::timed_out, "the sandbox helper does not answer"};
    ASSAY_TRY(Received<FromHelper> answer, receive<FromHelper>(helper.control));
    if (answer.message.done == 0 || answer.descriptors.size() != 1) {
        return Error{Fault::system, "start " + argument + ": " + std::string{answer.message.text.view()}};
    }
    return Role{.pid = answer.message.pid, .pidfd = std::move(answer.descriptors.front())};
}

}  // namespace assay::sandbox
