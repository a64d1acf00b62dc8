// Progress: one line that is written over, for a person at a terminal alone; in no colour. A rate, and what it promises, once there is one.
#pragma once

#include <cstdint>
#include <string>

#include "sys/clock.hh"
#include "wording/command_line.hh"

namespace assay::participant {

class Progress {
public:
    struct Words {
        wording::Told amount;  // {0} size, {1} of size, {2} percent
        wording::Told rate;    // the same, {3} size a second, {4} time left
    };
    static constexpr Words of_packing{wording::Told::packing, wording::Told::packing_fast};
    static constexpr Words of_sending{wording::Told::sending, wording::Told::sending_fast};

    Progress(std::int64_t whole, Words words);
    ~Progress() { end(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    // Takes the line away, until there is something new to show.
    void end();
    bool began() const { return began_; }
    void at(std::int64_t done);

private:
    std::string line(std::int64_t done, sys::Duration since) const;

    const std::int64_t whole_;
    const Words words_;
    const bool shown_;
    bool began_ = false;
    std::int64_t before_ = 0;  // what had been done before this began
    sys::TimePoint first_, last_;
};

}  // namespace assay::participant
