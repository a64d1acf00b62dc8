// Tasks: which processes use and wait most, and which stand in uninterruptible sleep and for what. Looked at only in suspicious times: a
// look costs some 20 µs for each process of the machine.
//
// Nothing is allocated after construction. Threading: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "recorder/frame.hh"
#include "sys/fd.hh"

namespace assay::recorder {

constexpr std::size_t task_scan_max = 4096;  // processes looked at; others are counted
constexpr std::size_t busy_tasks_max = 16;  // of tasks_max; the rest is for those in D state

class Tasks {
public:
    explicit Tasks(const char* proc = "/proc");
    ~Tasks();

    void read(Rows<Task, tasks_max>& rows, std::span<char> buffer);
    void forget();  // what was seen before is too old to be compared with

private:
    struct Seen;
    struct Table;
    void look_closer(Task& task, std::span<char> buffer) const;

    sys::Fd proc_;
    std::unique_ptr<Table> before_;
    std::unique_ptr<Table> now_;
};

}  // namespace assay::recorder
