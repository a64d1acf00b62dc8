#include "sandbox/guest_keepers.hh"

#include <sys/prctl.h>
#include <unistd.h>

#include "sandbox/cell.hh"
#include "sys/file.hh"
#include "sys/socket.hh"

namespace assay::sandbox {

Result<sys::Fd> make_assay(const std::string& directory, std::uint32_t uid) {
    ASSAY_CHECK(sys::make_directory(directory, 0755));
    ASSAY_CHECK(sys::create_exclusive(directory + "/run", 0755));
    const std::string path = directory + "/socket";
    ASSAY_TRY(sys::Fd socket, sys::listen_unix(path, 0600, sys::PairKind::seqpacket));
    ASSAY_CHECK(sys::change_owner(path, uid, uid));
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
        constexpr auto last_wait = std::chrono::seconds{5};
        if (Result<> removed = kill_and_remove(job_.shop.hierarchies, group_of(static_cast<int>(i) + 1),
                                               sys::system_clock().now() + last_wait);
            !removed)
            ended = std::move(removed);
        if (!exit && !reap(keepers_[i].pidfd, sys::system_clock().now() + last_wait)) ended = Error{Fault::timed_out, "a guest's keeper does not die"};
    }
    keepers_.clear();
    return ended;
}

}  // namespace assay::sandbox
