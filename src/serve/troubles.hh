// Troubles: while something is wrong with the machine, what diagnosis makes of the last minutes of the recording, for those who are
// alerted: the same cause and offender that `assay why --last` names.
#pragma once

#include <optional>
#include <string>

#include "alert/figures.hh"
#include "diagnosis/incident.hh"
#include "sys/clock.hh"

namespace assay::serve {

constexpr std::chrono::seconds trouble_look_every{15};   // a look reads all of the ring in memory
constexpr std::chrono::seconds trouble_recent{60};       // an incident that ended longer ago is told by nobody

class Troubles {
public:
    // Of the data directory `data`. Only the ring in memory is read, so that a disk that hangs does not hold up alarms.
    explicit Troubles(std::string data) : data_{std::move(data)} {}

    // Adds assay_trouble{cause} and the findings of the rules it may explain. Costs nothing unless `figures`, which must already hold
    // those of the machine, say that something may be wrong.
    void add_to(alert::Figures& figures, sys::TimePoint now, sys::WallTime wall);

private:
    std::optional<diagnosis::Incident> look(std::int64_t now_ms) const;
    const std::string data_;
    std::optional<sys::TimePoint> looked_;
    std::optional<diagnosis::Incident> known_;
};

// Whether a look is worth it. Pure.
bool may_be_trouble(const alert::Figures&);
// Pure.
void add_incident(alert::Figures&, const diagnosis::Incident&);

}  // namespace assay::serve
