// The JSON fields of limits and guarantees, shared by plans and reports.
#pragma once

#include "model/codec.hh"
#include "model/limits.hh"

namespace assay::model {

template <class V, Of<Limits> T>
void fields(V& visit, T& it) {
    visit("cpu_ms", it.cpu_ms);
    visit("wall_ms", it.wall_ms);
    visit("memory_bytes", it.memory_bytes);
    visit("processes", it.processes);
    visit("output_bytes", it.output_bytes);
    visit("disk_bytes", it.disk_bytes);
    visit("open_files", it.open_files);
}

template <class V, Of<Guarantees> T>
void fields(V& visit, T& it) {
    visit("cpu", it.cpu);
    visit("wall", it.wall);
    visit("memory", it.memory);
    visit("processes", it.processes);
    visit("output", it.output);
    visit("disk", it.disk);
}

}  // namespace assay::model
