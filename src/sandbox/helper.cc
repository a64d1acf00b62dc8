// Theory of operation: README.md. The helper itself does little: it prepares the workshop once, forks a keeper per job and a
// role per request, and reaps them. Everything of one job happens in that job's keeper.
#include "sandbox/helper.hh"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/log.hh"
#include "base/text.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/confine.hh"
#include "sandbox/control.hh"
#include "sandbox/keeper.hh"
#include "sandbox/mount.hh"
#include "sandbox/process.hh"
#include "sandbox/protocol.hh"
#include "sandbox/provisions.hh"
#include "sandbox/sandbox.hh"
#include "sandbox/uids.hh"
#include "sys/error.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/socket.hh"

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t clients_max = 64;
constexpr std::size_t roles_max = 16;
constexpr auto predecessor_wait_max = 15s;
constexpr auto predecessor_asked_every = 1ms;
constexpr auto slot_wait_max = 1s;        // a keeper whose job has ended is about to be free, or gone
constexpr auto end_time_max = 40s;
constexpr auto role_grace = 2s;

struct KeeperProcess {
    int slot = 0;
    Spawned process;
    sys::Fd talk;
    // All its groups were killed once, and some kernels kill whatever is born into such a group (Group::kill).
    bool spent = false;
};

// Of all trees the one in which a later start finds us.
Controller anchor_of(const Group& group) {
    return group.has(Controller::unified) ? Controller::unified : Controller::pids;
}
Result<> enter_group(const std::string& directory) {
    return write_control(directory + "/cgroup.procs", std::to_string(::getpid()));
}

class HelperLoop {
public:
    HelperLoop(const HelperConfig& config, Provisions given, sys::Fd control) : control_{std::move(control)} {
        shop_.config = config;
        shop_.given = std::move(given);
    }

    Result<> prepare();
    Result<> lodge_commands();
    Result<> lodge_again_if_needed();
    void say_lodging() const;
    Result<> keep_cores_apart();
    void answer(const Result<>& done, int pid, std::span<const int> passed = {});
    void serve();
    void end();

private:
    void on_control();
    void on_client(sys::Fd& client);
    void open_job(const ToHelper&, sys::Fd socket);
    Result<KeeperProcess*> free_keeper(int slot);
    Result<> outlive_predecessor();
    Result<Spawned> start_role(const std::string& argument, std::vector<sys::Fd> descriptors);
    void keeper_ended(const KeeperProcess&, sys::TimePoint deadline);
    void end_commands_of(int slot);

    Workshop shop_;
    sys::Fd control_;
    sys::Fd turn_;            // while it is locked nobody else uses our groups' names
    bool has_turn_ = false;
    std::vector<Hierarchy> own_;  // where the groups of the helper itself are
    Group group_;
    std::vector<sys::Fd> clients_;
    std::vector<KeeperProcess> keepers_;       // at most one a slot
    std::vector<Spawned> roles_;
};

// A helper whose server was killed still ends what it began, and names groups as we do: it would take ours for its own.
Result<> HelperLoop::outlive_predecessor() {
    const std::string& directory = shop_.config.turn_directory;
    if (!directory.empty()) {
        ASSAY_TRY(turn_, sys::open_directory(directory));
        const sys::TimePoint deadline = sys::system_clock().now() + predecessor_wait_max;
        while (::flock(turn_.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK && errno != EINTR) return sys::last_error("flock", directory);
            if (sys::system_clock().now() >= deadline) return Error{Fault::timed_out, "the helper of the server before does not end"};
            pause_for(predecessor_asked_every);
        }
    }
    has_turn_ = true;
    return ok;
}

Result<> HelperLoop::prepare() {
    if (::geteuid() != 0) return Error{Fault::denied, "the sandbox helper must be started as root"};
    ASSAY_CHECK(outlive_predecessor());
    // A keeper's launcher is executed while it is root, and needs what it has then.
    if (!keep_capabilities()) return sys::last_error("capset", "helper");
    if (!drop_bounding_set()) return sys::last_error("prctl(PR_CAPBSET_DROP)", "helper");
    ASSAY_TRY(shop_.host_mounts, sys::open_read("/proc/self/ns/mnt"));
    ASSAY_TRY(shop_.host_network, sys::open_read("/proc/self/ns/net"));

    if (!shop_.config.data.empty()) {
        // Before anything is mounted over the place where it is.
        shop_.data = sys::Fd{::open(shop_.config.data.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
        if (!shop_.data) return sys::last_error("open", shop_.config.data);
    }

    shop_.group = commands_group(shop_.config.directory_id);
    own_ = find_hierarchies();
    ASSAY_CHECK(make_room(own_));
    shop_.contained = !maps_all_ids(read_control("/proc/self/uid_map"));
    ASSAY_CHECK(lodge_commands());
    // In a group of its own, so that a later start finds this process and all it starts, should it ever be stuck; beside that of the
    // commands, whose turn comes last.
    ASSAY_TRY(const Group own, Group::make(own_, helper_group(shop_.config.directory_id), false));
    keep_memory(own_);
    if (const Hierarchy* const place = own.place(anchor_of(own))) ASSAY_CHECK(enter_group(place->own));

    if (::unshare(CLONE_NEWNS) != 0) return sys::last_error("unshare", "mounts");
    ASSAY_CHECK(make_workbench());
    ASSAY_TRY(const sys::Fd own_mounts, sys::open_read("/proc/self/ns/mnt"));
    ASSAY_TRY(shop_.plain_root, prepare_root("", workbench + "/root", own_mounts));
    ASSAY_TRY(shop_.launcher, place_launcher());
    return ok;
}

Result<> HelperLoop::lodge_commands() {
    shop_.hierarchies = lodge(own_, shop_.config.jobs_group);
    ASSAY_CHECK(make_room(shop_.hierarchies));
    say_lodging();
    ASSAY_TRY(group_, Group::make(shop_.hierarchies, shop_.group, false));
    group_.set_cpu_weight(shop_.config.cpu_weight);  // A weight alone lets a neighbour wait out a program's slice.
    ASSAY_CHECK(keep_cores_apart());
    shop_.disk_reads =
        DiskReads{shop_.hierarchies, shop_.config.directory_id, shop_.config.disk_reads, shop_.given.disks};
    std::optional<Lack> lack = lack_for_disk_scratch(shop_.hierarchies);
    if (!lack) lack = shop_.given.lack_of_folder;
    shop_.disk_scratch = DiskScratch{shop_.config.disk_scratch, shop_.config.disk_reads,
                                     shop_.config.first_uid + slots_max, std::move(lack)};
    return ok;
}

// A unit that is stopped or started again takes what is in its group along: what ran there was killed, and keepers have no place any more.
Result<> HelperLoop::lodge_again_if_needed() {
    const auto is_there = [&](const Hierarchy& tree) {
        return ::access((tree.own + "/" + shop_.group).c_str(), F_OK) == 0;
    };
    if (std::ranges::all_of(shop_.hierarchies, is_there)) return ok;
    for (KeeperProcess& keeper : keepers_) keeper.spent = true;
    return lodge_commands();
}

// Asked for and not there: commands run all the same, where they did before there was such a place.
void HelperLoop::say_lodging() const {
    if (shop_.config.jobs_group.empty()) return;
    for (const Hierarchy& hierarchy : shop_.hierarchies) {
        if (!hierarchy.serves(Controller::cpu)) continue;
        const bool there = hierarchy.own == hierarchy.mount + "/" + shop_.config.jobs_group;
        if (there) log::info("sandbox.jobs_group", {{"path", hierarchy.own}});
        else
            log::warn("sandbox.jobs_group", {{"path", hierarchy.own},
                                             {"error", "there is no group " + shop_.config.jobs_group + " below " +
                                                           hierarchy.mount + " that may be written to"}});
    }
}

Result<> HelperLoop::keep_cores_apart() {
    const int own = shop_.config.cores_per_slot;
    if (own == 0) return ok;
    std::vector<int> all;
    for (int slot = 0; slot < shop_.config.slots; ++slot) {
        for (const int core : cores_of_slot(shop_.given.cores, own, slot)) all.push_back(core);
    }
    ASSAY_CHECK(keep_to_rest(shop_.given.cores, own, shop_.config.slots));
    ASSAY_TRY(shop_.own_cores, OwnCores::make(shop_.hierarchies, shop_.group, all));
    const std::string& why = shop_.own_cores.shared_because();
    log::info("sandbox.own_cores", {{"cores", static_cast<std::int64_t>(all.size())}, {"others", why.empty() ? "kept off" : why}});
    return ok;
}

void HelperLoop::answer(const Result<>& done, int pid, std::span<const int> passed) {
    FromHelper said{.done = done ? 1U : 0U, .pid = pid, .text = {}};
    if (!done) said.text.set_cut(done.error().text());
    (void)send(control_, said, passed);
}

void HelperLoop::serve() {
    for (;;) {
        std::vector<pollfd> fds{{control_.get(), POLLIN, 0}};
        for (const sys::Fd& client : clients_) fds.push_back({client.get(), POLLIN, 0});
        for (const KeeperProcess& keeper : keepers_) fds.push_back({keeper.process.pidfd.get(), POLLIN, 0});
        for (const Spawned& role : roles_) fds.push_back({role.pidfd.get(), POLLIN, 0});
        if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // Only EINTR is possible.

        const auto ready = [&](int fd) { return std::ranges::any_of(fds, [&](const pollfd& p) { return p.fd == fd && p.revents != 0; }); };
        std::erase_if(roles_, [&](const Spawned& role) { return ready(role.pidfd.get()) && reap(role.pidfd, sys::system_clock().now()); });
        std::erase_if(keepers_, [&](const KeeperProcess& keeper) {
            if (!ready(keeper.process.pidfd.get())) return false;
            keeper_ended(keeper, sys::system_clock().now());
            return true;
        });
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            if (ready(clients_[i].get())) on_client(clients_[i]);
        }
        std::erase_if(clients_, [](const sys::Fd& client) { return !client; });
        if (fds[0].revents != 0) on_control();
        if (!control_) return;
    }
}

void HelperLoop::keeper_ended(const KeeperProcess& keeper, sys::TimePoint deadline) {
    const std::optional<Ending> exit = reap(keeper.process.pidfd, deadline);
    if (exit && !exit->signalled && exit->code == 0) return;
    // Its sandboxes died with it; its groups did not.
    const std::string job = job_group(shop_.group, keeper.slot);
    if (Result<> removed = kill_and_remove(shop_.hierarchies, job, sys::system_clock().now() + slot_wait_max);
        !removed) {
        log::error("sandbox.leftover", {{"slot", keeper.slot}, {"error", removed.error().text()}});
    }
}

void HelperLoop::end_commands_of(int slot) {
    bool told = false;
    for (const Hierarchy& hierarchy : shop_.hierarchies) {
        const std::string all = hierarchy.own + "/" + job_group(shop_.group, slot) + "/cgroup.kill";
        told = told || (hierarchy.version == 2 && write_control(all, "1"));
    }
    const auto keeper = std::ranges::find(keepers_, slot, &KeeperProcess::slot);
    if (keeper == keepers_.end()) return;
    keeper->spent = true;
    if (!told) kill_process(keeper->process.pidfd);  // Before Linux 5.14: all that it keeps dies with it.
}

void HelperLoop::on_control() {
    Result<Received<ToHelper>> asked = receive<ToHelper>(control_);
    if (!asked) {
        control_.reset();
        return;
    }
    std::vector<sys::Fd>& descriptors = asked->descriptors;
    if (asked->message.kind == ToHelper::Kind::connect && descriptors.size() == 1 && clients_.size() < clients_max) {
        clients_.push_back(std::move(descriptors.front()));
        return;
    }
    if (asked->message.kind == ToHelper::Kind::end_commands) {
        if (asked->message.slot < slots_max) end_commands_of(static_cast<int>(asked->message.slot));
        return;
    }
    if (asked->message.kind != ToHelper::Kind::spawn_role) return;
    Result<Spawned> role = start_role(std::string{asked->message.argument.view()}, std::move(descriptors));
    if (!role) return answer(role.take_error(), 0);
    const int pidfd[] = {role->pidfd.get()};
    answer(ok, role->pid, pidfd);
    roles_.push_back(std::move(role).value());
}

[[noreturn]] void become_role(const Workshop& shop, const std::string& argument, const std::vector<int>& descriptors) {
    const std::uint32_t uid = shop.config.first_uid + runner_uid_offset;
    const int exe = ::open("/proc/self/exe", O_PATH | O_CLOEXEC);
    if (exe < 0 || ::setns(shop.host_mounts.get(), CLONE_NEWNS) != 0) ::_exit(1);
    std::vector<int> held{-1, -1, STDERR_FILENO};
    held.insert(held.end(), descriptors.begin(), descriptors.end());
    const int program = static_cast<int>(held.size());
    held.push_back(exe);
    if (!hold_only(held) || ::fcntl(program, F_SETFD, FD_CLOEXEC) != 0) ::_exit(1);
    ::umask(022);
    if (!sys::become(uid, uid) || !drop_capabilities()) ::_exit(1);
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) ::_exit(1);
    ::signal(SIGPIPE, SIG_DFL);
    std::string name = argument;
    char own[] = "assay";
    char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    char language[] = "LANG=C.UTF-8";
    char* const words[] = {own, name.data(), nullptr};
    char* const environment[] = {path, language, nullptr};
    ::execveat(program, "", words, environment, AT_EMPTY_PATH);
    ::_exit(1);
}

Result<Spawned> HelperLoop::start_role(const std::string& argument, std::vector<sys::Fd> descriptors) {
    if (!valid_stage(argument)) return Error{Fault::invalid, "a role's name is 1 to 64 of a-z0-9_-"};
    if (roles_.size() >= roles_max || clients_.size() >= clients_max) return Error{Fault::busy, "too many roles run"};
    ASSAY_TRY(auto connection, sys::socket_pair(sys::PairKind::seqpacket));
    std::vector<int> raw;
    for (const sys::Fd& fd : descriptors) raw.push_back(fd.get());
    raw.push_back(connection.second.get());
    ASSAY_TRY(Spawned role, clone_process());
    if (role.pid == 0) become_role(shop_, argument, raw);
    clients_.push_back(std::move(connection.first));
    return role;
}

void HelperLoop::on_client(sys::Fd& client) {
    Result<Received<ToHelper>> asked = receive<ToHelper>(client);
    if (!asked) {
        client.reset();
        return;
    }
    const ToHelper& order = asked->message;
    if (order.kind != ToHelper::Kind::open_job || asked->descriptors.size() != 1) return;
    open_job(order, std::move(asked->descriptors.front()));
}

void HelperLoop::open_job(const ToHelper& order, sys::Fd socket) {
    const auto refuse = [&](std::string_view why) {
        FromKeeper answer{};
        answer.kind = FromKeeper::Kind::opened;
        answer.failed = 1;
        answer.fault.set_cut(why);
        (void)send(socket, answer);
    };
    if (order.slot >= static_cast<std::uint32_t>(slots_max)) return refuse("a slot is 0 to 63");
    const std::string image{order.image.view()};
    if (!image.empty() && !valid_digest(image)) return refuse("an image is named by its digest, 64 hex digits");
    if (const Result<> lodged = lodge_again_if_needed(); !lodged) return refuse(lodged.error().text());
    Result<KeeperProcess*> keeper = free_keeper(static_cast<int>(order.slot));
    if (!keeper) return refuse(keeper.error().text());
    const int passed[] = {socket.get()};
    if (const Result<> sent = send((*keeper)->talk, order, passed); !sent) refuse(sent.error().text());
}

// The slot's keeper, which waits for a job.
Result<KeeperProcess*> HelperLoop::free_keeper(int slot) {
    if (const auto keeper = std::ranges::find(keepers_, slot, &KeeperProcess::slot); keeper != keepers_.end()) {
        const Error busy{Fault::busy, "slot " + std::to_string(slot) + " still runs a job"};
        const sys::TimePoint deadline = sys::system_clock().now() + slot_wait_max;
        ASSAY_TRY(const bool heard, sys::wait_readable(keeper->talk, deadline));
        if (!heard) return busy;
        char word = 0;
        const bool lives = ::recv(keeper->talk.get(), &word, 1, MSG_DONTWAIT) == 1;
        if (lives && !keeper->spent) return &*keeper;
        keeper->talk.reset();
        ASSAY_TRY(const bool gone, sys::wait_readable(keeper->process.pidfd, deadline));
        if (!gone) return busy;
        keeper_ended(*keeper, sys::system_clock().now());
        keepers_.erase(keeper);
    }
    ASSAY_TRY(auto talk, sys::socket_pair(sys::PairKind::seqpacket));
    ASSAY_TRY(Spawned process, clone_process());
    if (process.pid == 0) {
        (void)::prctl(PR_SET_NAME, "assay-keeper");
        close_all_except({talk.second.get(), shop_.host_mounts.get(), shop_.host_network.get(), shop_.plain_root.get(),
                          shop_.data.get(), shop_.launcher.get(), shop_.disk_scratch.folder()});
        ::_exit(keep_slot(shop_, slot, std::move(talk.second)));
    }
    return &keepers_.emplace_back(slot, std::move(process), std::move(talk.first));
}

void HelperLoop::end() {
    clients_.clear();
    for (KeeperProcess& keeper : keepers_) keeper.talk.reset();
    const sys::TimePoint deadline = sys::system_clock().now() + end_time_max;
    for (const KeeperProcess& keeper : keepers_) keeper_ended(keeper, deadline);
    for (const Spawned& role : roles_) {
        if (reap(role.pidfd, sys::system_clock().now() + role_grace)) continue;
        kill_process(role.pidfd);
        (void)reap(role.pidfd, deadline);
    }
    if (!has_turn_) return;
    std::vector<Hierarchy> all = shop_.hierarchies;
    for (const std::vector<Hierarchy>& more : {own_, core_set_trees(), block_trees()})
        all.insert(all.end(), more.begin(), more.end());
    const auto remove = [&](const std::string& name) {
        if (Result<> removed = kill_and_remove(all, name, deadline); !removed)
            log::error("sandbox.leftover", {{"error", removed.error().text()}});
    };
    // Our own last: as long as something may take time, a later start finds us there.
    remove(shop_.group);
    remove(reads_group(shop_.config.directory_id));
    for (const Hierarchy& hierarchy : own_) {
        if (hierarchy.serves(anchor_of(group_))) (void)enter_group(hierarchy.home);
    }
    remove(helper_group(shop_.config.directory_id));
}

}  // namespace

int helper_main(const HelperConfig& config, Provisions given, sys::Fd control) {
    for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    sys::ignore_stop_signals();
    ::umask(0);  // Every mode is said where something is made; roles and commands have their own.
    if (::chdir("/") != 0) return 1;
    (void)::prctl(PR_SET_NAME, "assay-helper");
    HelperLoop loop{config, std::move(given), std::move(control)};
    const Result<> prepared = loop.prepare();
    loop.answer(prepared, ::getpid());
    if (prepared) loop.serve();
    loop.end();
    return prepared ? 0 : 1;
}

}  // namespace assay::sandbox
