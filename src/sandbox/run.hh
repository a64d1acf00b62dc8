// One command of a job, from its order to its end: groups → scratch → init and its world → fills → launcher → go → watch →
// kill everything → counters → seal or drop. Whatever was begun is undone by the destructor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sandbox/guest_keepers.hh"
#include "sandbox/keeper.hh"
#include "sandbox/process.hh"
#include "sandbox/protocol.hh"

namespace assay::sandbox {

struct State {
    std::string stage;
    std::string mount;  // its scratch; the layer is `work` below
};

// What the commands of one job share; a keeper has one.
struct JobState {
    const Workshop& shop;
    JobOrder order;
    sys::Fd socket;
    sys::Fd life;
    sys::Fd own_mounts;
    std::string bench;
    std::string image;          // where the job's image is mounted; empty: its commands see the host's own folders
    Group group;
    std::vector<State> states;  // oldest first
    int runs = 0;
    int guest = 0;              // 0: the job's own keeper; else which of its guests'
    bool abandoned = false;     // client or helper is gone: end everything

    std::uint32_t uid() const;
    std::uint32_t init_uid() const;
    std::vector<std::string> layers_upto(std::size_t count) const;  // newest first
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

class Run {
public:
    // `order` has been checked, and its descriptors counted.
    Run(JobState& job, const ToKeeper& order, std::vector<sys::Fd> descriptors) : job_{job}, order_{order}, descriptors_{std::move(descriptors)}, guests_{job} {}
    ~Run() { (void)end_all(); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    // All of it. Errors are our own failures; what the command did is in `answer`. `kept`: the report, or the files that are there.
    Result<> execute(FromKeeper& answer, std::vector<sys::Fd>& kept);

private:
    Result<> begin(FromKeeper&);
    Result<> prepare(FromKeeper&);
    Result<> start_init();
    Result<bool> fill(int archive, std::string_view prefix, const std::string& directory, FromKeeper&);
    Result<> launch(FromKeeper&);
    Result<> enter_inmate(Inmate&);
    Result<> end_all();
    void count(FromKeeper&);
    Result<> settle(FromKeeper&, std::vector<sys::Fd>& kept);
    Result<> keep_files(FromKeeper&, std::vector<sys::Fd>& kept);
    Result<> tell_started(const sys::Fd& out, const sys::Fd& err, const sys::Fd& in);
    EntryPlan entry(int talk) const;
    int take_descriptor() { return descriptors_[next_descriptor_++].get(); }
    bool fills_work() const { return order_.trusted == 0 && order_.has_submission != 0; }

    JobState& job_;
    const ToKeeper& order_;
    std::vector<sys::Fd> descriptors_;
    std::size_t next_descriptor_ = 0;
    int command_ = -1, stdin_ = -1, submission_ = -1, grader_ = -1;  // of descriptors_

    std::optional<Mount> scratch_, submission_mount_, grader_mount_;
    std::vector<sys::Fd> bind_trees_;
    sys::Fd assay_socket_;
    GuestKeepers guests_;
    std::optional<Group> group_;
    sys::Fd oom_;
    std::int64_t job_oom_kills_ = 0;
    CpuUsage cpu_base_;
    World world_;
    Inmate init_;
    Inmate main_;
    std::optional<Ending> main_end_;
    sys::TimePoint started_{};
    sys::TimePoint ended_{};
};

}  // namespace assay::sandbox
