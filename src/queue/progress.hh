// Progress: what of the running jobs is finished so far. In memory: of an attempt that ends by a fault it goes into the
// attempt's row (line.hh), of one that ends by a verdict it is in the report, and a restart runs the job again.
//
// Memory is bounded: per running job by `progress_bytes_max`, and only running jobs are here.
// Threading: safe from every thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "model/report.hh"
#include "queue/line.hh"

namespace assay::queue {

constexpr std::size_t progress_bytes_max = 1u << 20;  // of one job; what comes then keeps no texts, and later is only counted

struct Progress {
    std::string stage;                  // empty: it has not begun one
    std::string test;                   // that finished last or runs now; empty: none of the stage yet
    std::int64_t tests_done = 0;        // of those the module declares
    std::int64_t tests_all = 0;
    std::optional<model::Reason> reason;  // why that has not begun yet
    bool stage_over = false;            // else the last stage of the report, when it has this name, is still under way
    model::Report report;               // what is finished, in order; no verdict, no score
};

class ProgressTable {
public:
    void begin(const Token&, std::int64_t tests_all);
    void end(const Token&);

    // `finished`: a report of one stage, with the test that has just finished, or, `test` being empty, the stage itself; its
    // tests told before need not be in it again. Nothing for a token that has not begun.
    void note(const Token&, const std::string& stage, const std::string& test, std::optional<model::Report> finished,
              std::optional<model::Reason> reason = {});

    std::optional<Progress> at(JobId) const;
    // The report of what is finished, as JSON marked partial. Empty: nothing is.
    std::string partial(const Token&) const;

private:
    struct Held {
        Token token;
        Progress progress;
        std::size_t bytes = 0;
    };
    mutable std::mutex mutex_;
    std::map<JobId, Held> held_;        // guarded
};

}  // namespace assay::queue
