// Rules: what may start, piece by piece: shared by the choice (policy) and by who foretells it (forecast). Private to the room.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "queue/policy.hh"

namespace assay::queue {

// Whose turn a job takes: a participant's, or (nullopt) that of all rejudges of the course.
using Flow = std::pair<CourseId, std::optional<ParticipantId>>;

bool rejudged(const store::QueuedJob&);
Flow flow_of(const store::QueuedJob&);
Flow person_of(const store::QueuedJob&);  // who never runs two at once

bool alone(const store::QueuedJob&);      // was cut so often that it runs by itself, or ended when memory ran out

Needs promised(const Situation&);                            // to those that run
Needs needs(const Situation&, const store::QueuedJob&);
bool fits_memory(const Situation&, const store::QueuedJob&); // beside them; by itself everything does
// On the disk: as if those that run had taken nothing of theirs yet, since nobody here knows what they have.
bool fits_disk(const Situation&, const store::QueuedJob&);

// Rejudges leave the last of several slots to live work.
bool kept_free(int slots, std::size_t running, const store::QueuedJob&);

bool cut_often(const Situation&, const store::QueuedJob&);
bool backing_off(const Situation&, const store::QueuedJob&);
std::int64_t may_start_ms(const Situation&, const store::QueuedJob&);  // after its cuts
std::int64_t wakes_ms(const Situation&, const store::QueuedJob&);      // of one that backs off

const store::Standing* pause_of(const Situation&, const store::QueuedJob&);  // nullptr: its module is not paused

}  // namespace assay::queue
