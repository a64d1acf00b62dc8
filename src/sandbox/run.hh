// One command of a job, from its order to its end: a cell, built ahead or now → fills → assignment → watch → kill everything →
// counters → seal or drop. Whatever was begun is undone by the cell's destructor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sandbox/cell.hh"
#include "sandbox/guest_keepers.hh"
#include "sandbox/pressure.hh"

namespace assay::sandbox {

class Run {
public:
    // `order` has been checked, and its descriptors counted.
    Run(JobState& job, const ToKeeper& order, std::vector<sys::Fd> descriptors) : job_{job}, order_{order}, descriptors_{std::move(descriptors)}, guests_{job} {}
    // What is left of the cell is the job's to do away with: nobody has to wait for it.
    ~Run() {
        if (cell_) job_.worn.push_back(std::move(cell_));
    }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    // All of it. Errors are our own failures; what the command did is in `answer`. `kept`: the report, or the files that are there.
    Result<> execute(FromKeeper& answer, std::vector<sys::Fd>& kept);

private:
    Result<> unseal();
    Result<> begin(FromKeeper&);
    Result<> take_cell();
    Result<> build_cell();
    Result<bool> fill(int archive, std::string_view prefix, const std::string& directory, FromKeeper&);
    Result<> command(FromKeeper&);
    Result<> assign();
    Result<> end_all();
    void count(FromKeeper&);
    void count_company(FromKeeper&) const;  // what else the machine did meanwhile
    Result<> settle(FromKeeper&, std::vector<sys::Fd>& kept);
    Result<> keep_files(FromKeeper&, std::vector<sys::Fd>& kept);
    Shape shape() const;
    int take_descriptor() { return descriptors_[next_descriptor_++].get(); }
    bool fills_work() const { return order_.trusted == 0 && order_.has_submission != 0; }
    bool leaves_something() const { return order_.seal != 0 || order_.files_count > 0 || order_.trusted != 0; }

    JobState& job_;
    const ToKeeper& order_;
    std::vector<sys::Fd> descriptors_;
    std::size_t next_descriptor_ = 0;
    int command_ = -1, stdin_ = -1, submission_ = -1, grader_ = -1;  // of descriptors_

    std::unique_ptr<Cell> cell_;
    std::optional<Stalls> stalls_base_;  // once it has lasted
    GuestKeepers guests_;
    sys::TimePoint started_{};
    sys::TimePoint ended_{};
};

}  // namespace assay::sandbox
