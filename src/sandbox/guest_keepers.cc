#include "sandbox/guest_keepers.hh"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sandbox/cell.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {

Result<sys::Fd> make_assay(const std::string& directory, std::uint32_t uid) {
    constexpr int waiting_max = 64;
    ASSAY_CHECK(sys::make_directory(directory, 0755));
    const sys::Fd place{::open((directory + "/run").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755)};
    if (!place) return sys::last_error("open", directory + "/run");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = directory + "/socket";
    if (path.size() >= sizeof address.sun_path) return Error{Fault::internal, "the path of a guest socket is too long"};
    path.copy(address.sun_path, path.size());
    sys::Fd socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) return sys::last_error("socket", path);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return sys::last_error("bind", path);
    ASSAY_CHECK(sys::change_owner(path, uid, uid));
    ASSAY_CHECK(sys::change_mode(path, 0600));
    if (::listen(socket.get(), waiting_max) != 0) return sys::last_error("listen", path);
    return socket;
}

void GuestKeepers::open(sys::Fd socket) {
    if (keepers_.size() >= static_cast<std::size_t>(guests_max)) return;
    if (!life_write_) {
        auto life = sys::make_pipe();
        if (!life) return;
        life_read_ = std::move(life->first);
        life_write_ = std::move(life->second);
    }
    Result<Spawned> keeper = clone_process();
    if (!keeper) return;
    if (keeper->pid == 0) {
        (void)::prctl(PR_SET_NAME, "assay-guest");
        close_all_except({socket.get(), life_read_.get(), job_.prepared_root(), job_.shop.launcher.get()});
        ::_exit(keep_guest(job_, static_cast<int>(keepers_.size()) + 1, std::move(socket), std::move(life_read_)));
    }
    keepers_.push_back(std::move(keeper).value());
}

std::string GuestKeepers::group_of(int number) const {
    return job_group(job_.shop.group, job_.slot) + "/" + guest_group(number);
}

Result<> GuestKeepers::end(sys::TimePoint deadline) {
    life_write_.reset();
    Result<> ended = ok;
    for (std::size_t i = 0; i < keepers_.size(); ++i) {
        std::optional<Ending> exit = reap(keepers_[i].pidfd, deadline);
        if (exit && !exit->signalled && exit->code == 0) continue;
        if (!exit) kill_process(keepers_[i].pidfd);
        std::vector<std::string> roots;
        for (const Hierarchy& hierarchy : job_.shop.hierarchies) roots.push_back(hierarchy.own + "/" + group_of(static_cast<int>(i) + 1));
        std::erase_if(roots, [](const std::string& root) { return ::access(root.c_str(), F_OK) != 0; });
        constexpr auto last_wait = std::chrono::seconds{5};
        if (Result<> removed = kill_and_remove(roots, sys::system_clock().now() + last_wait); !removed) ended = std::move(removed);
        if (!exit && !reap(keepers_[i].pidfd, sys::system_clock().now() + last_wait)) ended = Error{Fault::timed_out, "a guest's keeper does not die"};
    }
    keepers_.clear();
    return ended;
}

}  // namespace assay::sandbox
