#include "sys/service_manager.hh"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/text.hh"
#include "sys/socket.hh"

namespace assay::sys {
namespace {

constexpr int first_descriptor = 3;  // SD_LISTEN_FDS_START

// The variable's value, and it is gone.
std::string taken(const char* name) {
    const char* const value = std::getenv(name);
    std::string text = value != nullptr ? value : "";
    (void)::unsetenv(name);
    return text;
}

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// What a manager says of a process by its pid is not for a child that inherited the words.
bool is_for_us(const std::string& pid) { return pid.empty() || number(pid) == ::getpid(); }

Fd connected_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() < 2 || path.size() >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@')) return {};
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';  // Abstract: its name is no file's.
    Fd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return {};
    return socket;
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
    ServiceManager manager;
    const std::string path = taken("NOTIFY_SOCKET");
    const std::string watchdog_us = taken("WATCHDOG_USEC");
    const std::string watchdog_pid = taken("WATCHDOG_PID");
    const std::string count = taken("LISTEN_FDS");
    const std::string listen_pid = taken("LISTEN_PID");
    const std::string names = taken("LISTEN_FDNAMES");
    manager.socket_ = connected_to(path);
    if (const auto us = number(watchdog_us); us && *us > 0 && manager.socket_ && is_for_us(watchdog_pid)) {
        manager.watchdog_ = std::chrono::microseconds{*us};
    }
    if (listen_pid.empty() || !is_for_us(listen_pid)) return manager;
    const auto passed = number(count).value_or(0);
    const auto named = split(names, ':');
    for (int i = 0; i < passed && i < static_cast<int>(passed_fds_max); ++i) {
        const int fd = first_descriptor + i;
        if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) continue;
        const auto place = static_cast<std::size_t>(i);
        manager.descriptors_.push_back({place < named.size() && !named[place].empty() ? std::string{named[place]} : "unknown", Fd{fd}});
    }
    return manager;
}

Result<> ServiceManager::tell(std::string_view lines, std::span<const int> descriptors) const {
    if (!socket_) return ok;
    return send_message(socket_, bytes_of(lines), descriptors);
}

}  // namespace assay::sys
