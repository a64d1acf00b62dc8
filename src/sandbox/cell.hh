// A cell: one sandbox, built and waiting for its command. Group, scratch, file tree, init, and the launcher that has given up
// everything it had. It is built before its command is known where that can be guessed (keeper.cc), serves one command, and is
// never used for a second one. What differs from command to command is set when it comes: `fit`, and the assignment (confine.hh).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/confine.hh"
#include "sandbox/keeper.hh"
#include "sandbox/pressure.hh"
#include "sandbox/process.hh"
#include "sandbox/protocol.hh"
#include "sandbox/watch.hh"

namespace assay::sandbox {

struct Cell;

struct State {
    std::string stage;
    std::string mount;  // its scratch; the layer is `work` below
};

// What the commands of one job share, and what lasts from job to job; a keeper has one.
struct JobState {
    const Workshop& shop;
    int slot = 0;
    sys::Fd life;               // closes when the helper, or whoever else this keeper belongs to, is gone
    sys::Fd users;  // the user namespace of its commands
    sys::Fd own_mounts;
    sys::Fd own_pids;
    std::vector<int> cores;     // of its own; empty: it shares all of the machine's
    std::string bench;
    std::vector<Group> retired; // what is left of cells' groups, for the next ones
    std::vector<Stack> stacks;  // of inits that are gone, likewise
    int cells = 0;              // built so far: their groups have names of their own
    Stalls stalls;  // at the first job: what this host tells at all
    sys::Fd disk_reads;  // bytes_read, where only the slot's are counted

    sys::Fd socket;
    std::int64_t memory_max_bytes = 0;
    std::string image;          // where the job's image is mounted; empty: its commands see the host's own folders
    sys::Fd image_root;         // prepare_root of it
    Group group;                // of the whole job; between jobs what is left of it
    std::vector<State> states;  // oldest first
    int guest = 0;              // 0: the job's own keeper; else which of its guests'
    Group nest;                 // where the cells' groups are made: the job's, or a guest's below it
    bool abandoned = false;     // client or helper is gone: end everything
    bool leftover = false;      // something of a cell did not go
    bool handed_out = false;  // files of its scratches: the client may read them still
    std::int64_t memory_given_bytes = 0;  // what the job's own limit was last made for
    std::size_t states_given = 0;
    std::vector<std::string> empties;  // scratches of cells that are gone, in which nothing was left: they go together
    std::unique_ptr<Cell> spare;  // waits for the next command
    std::vector<std::unique_ptr<Cell>> worn;  // of commands that are answered; they go when nobody waits

    std::uint32_t uid() const;
    std::uint32_t init_uid() const;
    int prepared_root() const;
    std::vector<std::string> layers_upto(std::size_t count) const;  // newest first
    void drop(const std::string& scratch) const;  // a mounted one: of a cell, or of a state
    void drop_empties() { detach_together(std::exchange(empties, {})); }
    // Leaves room in the job's group for a command of `demand_bytes`, whatever its sealed states use.
    Result<> give_memory(std::int64_t demand_bytes);
};

// Keeps one guest of the job that this process was forked from: a job of its own that shares group, states and mounts with it
// and lives until its socket or `life` closes. Returns the exit code of the process: 0 = nothing is left.
int keep_guest(const JobState&, int number, sys::Fd socket, sys::Fd life);
inline std::string guest_group(int number) { return "guest" + std::to_string(number); }

// A directory a keeper mounted; dropped unless its path is taken away.
struct Mount {
    explicit Mount(std::string p) : path{std::move(p)} {}
    ~Mount() {
        if (!path.empty()) detach(path);
    }
    Mount(const Mount&) = delete;
    Mount& operator=(const Mount&) = delete;
    std::string path;
};

// A child of ours inside a sandbox.
struct Inmate {
    Spawned process;
    sys::Fd talk;
};

constexpr auto setup_time_max = std::chrono::seconds{10};  // each step of the way in
constexpr auto death_time_max = std::chrono::seconds{20};  // from SIGKILL to reaped: freeing much memory takes a while
inline sys::TimePoint in(sys::Duration time) { return sys::system_clock().now() + time; }

// What has to be known when a cell is built.
struct Shape {
    bool trusted = false;
    bool compiled = false;
    bool host_network = false;
    bool submission = false;      // trusted: at /submission
    bool grader = false;
    bool guests = false;
    bool disk = false;  // its scratch
    std::size_t binds = 0;
    std::size_t states = 0;       // sealed when it is built
    bool operator==(const Shape&) const = default;

    bool common() const {
        return !trusted && !host_network && binds == 0 && !disk;
    }  // worth building ahead, in a root that is there
};

struct Cell {
    Cell(JobState& j, const Shape& s, const model::Limits& l) : job{j}, shape{s}, limits{l} {}
    ~Cell();  // ends all of it and waits; what does not go is logged, and the job's `leftover`
    Cell(const Cell&) = delete;
    Cell& operator=(const Cell&) = delete;

    // Group, scratch, init and its world. `binds`: trees to show, with where.
    Result<> build(std::vector<sys::Fd> trees, const std::vector<std::string>& places);
    // The launcher, up to where it waits for its assignment. Errors also when the memory limit does not even hold it.
    Result<> launch();
    // Tells the client that it waits, who may then start its command without us. Nothing, where our part is needed before that.
    Result<> offer();
    bool stands_under(const model::Limits&) const;  // that a launcher cannot set itself
    // From the limits it was built for to these. false: it cannot; build another.
    Result<bool> fit(const model::Limits&);

    // A child of ours in the sandbox's pid namespace, made by `start` with what it is given: the group to be born in, where that can be
    // (-1: our own), and the other end of the talk.
    using Start = std::function<Result<Spawned>(int birthplace, int talk)>;
    Result<Inmate> start_inside(const Start&) const;
    // Into the other groups, and first to be killed. What follows is charged to the command.
    Result<> admit(const Inmate&) const;
    Ways ways() const;
    Result<> order_entry(int stdout_fd, int stderr_fd) const;  // to the launcher
    Rlimits rlimits() const;
    int cores() const;            // that it can use at once
    // Lets the launcher see, and run on, as many CPUs as the command may use. Without cores of its own best effort: what it may use is
    // the quota's to say.
    Result<> show_cores() const;

    Result<> limit_cores(std::int64_t count);
    void judge_io();
    void forget_the_past();  // before a command may begin
    Result<> start_init();

    bool alone();  // but for the command, which has ended and is not reaped yet, nothing is in its group
    void let_go();                // ends init, without waiting
    bool gone();                  // every process of it has ended: the destructor will not wait for one
    Result<> end();               // kills every process and waits for it

    JobState& job;
    const Shape shape;
    model::Limits limits;
    model::Guarantees guarantees;
    std::optional<Mount> scratch, submission, grader;
    World world;
    std::vector<sys::Fd> bind_trees;
    sys::Fd assay_socket;
    std::optional<Group> group;
    int oom = -1;                 // of the group: an eventfd, or -1
    Stack init_stack;
    Spawned init;                 // shares our memory, and touches none of it
    Inmate main;                  // the launcher, later the command; or a fill
    std::optional<Ending> main_end;
    bool untouched = false;  // its scratch, by its command
    bool single = false;          // `alone` found that never a second process was in its group
    sys::Fd out, err;             // reading ends of the command's streams
    // Their writing ends: the end of a stream would wake the client, which then ran before the command had ended and been counted. Not of
    // a guest's: somebody reads on to there.
    sys::Fd out_kept, err_kept;
    sys::Fd filter_kept;  // so that it goes with us, and not with the command
    bool on_offer = false;     // the client may have begun its command already
    sys::TimePoint offered{};  // when it last was; no earlier can it have been begun
    std::int64_t open_files_max = 0;  // that the machine lets the launcher have
    CpuUsage cpu_base;            // of the group before the command
    std::int64_t job_oom_kills = 0;  // of the job's group, the same
    std::int64_t read_before_bytes = 0;  // by the slot, the same
};

}  // namespace assay::sandbox
