// Fields: the order in which the fields of each section stand in the format, and their names for people and programs. Encoder,
// decoder, JSON and CSV all go by these lists, so none can forget a field.
//
// A section of plain numbers grows at its end only. A row of a list never changes: a list that needs more gets a new Section.
#pragma once

#include "recorder/frame.hh"

namespace assay::recorder {

// `visit(name, field)` for each field; T is the struct or its const.
template <class T, class Struct>
concept Either = std::is_same_v<std::remove_const_t<T>, Struct>;

#define ASSAY_FIELD(name) visit(#name, it.name)

void each_field(Either<Self> auto& it, auto&& visit) {
    ASSAY_FIELD(interval_ms), ASSAY_FIELD(suspicion), ASSAY_FIELD(unreadable), ASSAY_FIELD(own_major_faults_total);
    ASSAY_FIELD(cold_lag_frames), ASSAY_FIELD(cold_errors_total);
}
void each_field(Either<Cpu> auto& it, auto&& visit) {
    ASSAY_FIELD(user_ms_total), ASSAY_FIELD(system_ms_total), ASSAY_FIELD(idle_ms_total), ASSAY_FIELD(iowait_ms_total);
    ASSAY_FIELD(steal_ms_total), ASSAY_FIELD(context_switches_total), ASSAY_FIELD(forks_total),
        ASSAY_FIELD(tasks_runnable);
    ASSAY_FIELD(tasks_blocked);
}
void each_field(Either<Core> auto& it, auto&& visit) {
    ASSAY_FIELD(number), ASSAY_FIELD(busy_ms_total), ASSAY_FIELD(iowait_ms_total), ASSAY_FIELD(steal_ms_total);
}
void each_field(Either<Memory> auto& it, auto&& visit) {
    ASSAY_FIELD(total_bytes), ASSAY_FIELD(free_bytes), ASSAY_FIELD(available_bytes), ASSAY_FIELD(cached_bytes);
    ASSAY_FIELD(anon_bytes), ASSAY_FIELD(shared_bytes), ASSAY_FIELD(active_file_bytes),
        ASSAY_FIELD(inactive_file_bytes);
    ASSAY_FIELD(unevictable_bytes), ASSAY_FIELD(dirty_bytes), ASSAY_FIELD(writeback_bytes), ASSAY_FIELD(slab_bytes);
    ASSAY_FIELD(swap_total_bytes), ASSAY_FIELD(swap_free_bytes);
}
void each_field(Either<Reclaim> auto& it, auto&& visit) {
    ASSAY_FIELD(refaults_file_total), ASSAY_FIELD(refaults_anon_total), ASSAY_FIELD(major_faults_total);
    ASSAY_FIELD(scanned_direct_pages_total), ASSAY_FIELD(stolen_direct_pages_total),
        ASSAY_FIELD(scanned_kswapd_pages_total);
    ASSAY_FIELD(stolen_kswapd_pages_total), ASSAY_FIELD(allocation_stalls_total), ASSAY_FIELD(oom_kills_total);
    ASSAY_FIELD(read_kib_total), ASSAY_FIELD(written_kib_total), ASSAY_FIELD(swap_in_pages_total),
        ASSAY_FIELD(swap_out_pages_total);
}
void each_field(Either<Pressure> auto& it, auto&& visit) {
    ASSAY_FIELD(memory_some_us_total), ASSAY_FIELD(memory_full_us_total), ASSAY_FIELD(io_some_us_total);
    ASSAY_FIELD(io_full_us_total), ASSAY_FIELD(cpu_some_us_total), ASSAY_FIELD(cpu_full_us_total);
}
void each_field(Either<Disk> auto& it, auto&& visit) {
    ASSAY_FIELD(name), ASSAY_FIELD(reads_total), ASSAY_FIELD(read_bytes_total), ASSAY_FIELD(read_ms_total);
    ASSAY_FIELD(writes_total), ASSAY_FIELD(written_bytes_total), ASSAY_FIELD(write_ms_total), ASSAY_FIELD(in_flight);
    ASSAY_FIELD(busy_ms_total), ASSAY_FIELD(queue_ms_total), ASSAY_FIELD(flushes_total), ASSAY_FIELD(flush_ms_total);
}
void each_field(Either<Net> auto& it, auto&& visit) {
    ASSAY_FIELD(received_bytes_total), ASSAY_FIELD(sent_bytes_total), ASSAY_FIELD(received_dropped_total);
    ASSAY_FIELD(listen_overflows_total), ASSAY_FIELD(listen_drops_total), ASSAY_FIELD(retransmitted_total);
    ASSAY_FIELD(tcp_sockets), ASSAY_FIELD(tcp_time_wait), ASSAY_FIELD(tcp_memory_bytes), ASSAY_FIELD(open_files);
    ASSAY_FIELD(open_files_max);
}
void each_field(Either<Cgroup> auto& it, auto&& visit) {
    ASSAY_FIELD(id), ASSAY_FIELD(name), ASSAY_FIELD(job), ASSAY_FIELD(memory_bytes), ASSAY_FIELD(memory_max_bytes);
    ASSAY_FIELD(anon_bytes), ASSAY_FIELD(file_bytes), ASSAY_FIELD(refaults_file_total), ASSAY_FIELD(major_faults_total);
    ASSAY_FIELD(limit_hits_total), ASSAY_FIELD(oom_kills_total), ASSAY_FIELD(cpu_us_total),
        ASSAY_FIELD(throttled_total);
    ASSAY_FIELD(throttled_us_total), ASSAY_FIELD(read_bytes_total), ASSAY_FIELD(written_bytes_total),
        ASSAY_FIELD(reads_total);
    ASSAY_FIELD(writes_total), ASSAY_FIELD(memory_some_us_total), ASSAY_FIELD(memory_full_us_total);
    ASSAY_FIELD(io_some_us_total), ASSAY_FIELD(io_full_us_total), ASSAY_FIELD(cpu_some_us_total), ASSAY_FIELD(tasks);
}
void each_field(Either<Task> auto& it, auto&& visit) {
    ASSAY_FIELD(pid), ASSAY_FIELD(start_ticks), ASSAY_FIELD(name), ASSAY_FIELD(state), ASSAY_FIELD(cpu_ms_total);
    ASSAY_FIELD(resident_bytes), ASSAY_FIELD(major_faults_total), ASSAY_FIELD(run_wait_us_total),
        ASSAY_FIELD(read_bytes_total);
    ASSAY_FIELD(written_bytes_total), ASSAY_FIELD(in_d_frames), ASSAY_FIELD(wait_channel), ASSAY_FIELD(stack);
}
void each_field(Either<Server> auto& it, auto&& visit) {
    ASSAY_FIELD(told_age_ms), ASSAY_FIELD(jobs_waiting), ASSAY_FIELD(jobs_running), ASSAY_FIELD(slots);
    ASSAY_FIELD(oldest_waiting_ms), ASSAY_FIELD(uploads_receiving), ASSAY_FIELD(verify_oldest_ms),
        ASSAY_FIELD(connections);
    ASSAY_FIELD(requests_total), ASSAY_FIELD(requests_failed_total);
    ASSAY_FIELD(commit_ms_max), ASSAY_FIELD(events_lost_total);
}
void each_field(Either<Loop> auto& it, auto&& visit) {
    ASSAY_FIELD(number), ASSAY_FIELD(beat_age_ms), ASSAY_FIELD(lag_ms_max);
}
void each_field(Either<SlowRequest> auto& it, auto&& visit) {
    ASSAY_FIELD(route), ASSAY_FIELD(status), ASSAY_FIELD(took_ms);
}
void each_field(Either<Event> auto& it, auto&& visit) {
    ASSAY_FIELD(kind), ASSAY_FIELD(monotonic_ns), ASSAY_FIELD(subject), ASSAY_FIELD(value), ASSAY_FIELD(text);
}

#undef ASSAY_FIELD

// `visit(Section, name, section)` for each section, in the order in which they are written: what explains most comes first, and
// what does not fit into frame_bytes_max is left out.
template <Either<Frame> F>
void each_section(F& frame, auto&& visit) {
    visit(Section::recorder, "recorder", frame.recorder);
    visit(Section::pressure, "pressure", frame.pressure);
    visit(Section::memory, "memory", frame.memory);
    visit(Section::reclaim, "reclaim", frame.reclaim);
    visit(Section::cpu, "cpu", frame.cpu);
    visit(Section::disks, "disks", frame.disks);
    visit(Section::server, "server", frame.server);
    visit(Section::loops, "loops", frame.loops);
    visit(Section::events, "events", frame.events);
    visit(Section::slow_requests, "slow_requests", frame.slow_requests);
    visit(Section::net, "net", frame.net);
    visit(Section::cores, "cores", frame.cores);
    visit(Section::cgroups, "cgroups", frame.cgroups);
    visit(Section::tasks, "tasks", frame.tasks);
}

// Whether two rows are of the same thing, so that one can be told as its difference to the other.
inline bool same_thing(const Core& a, const Core& b) { return a.number == b.number; }
inline bool same_thing(const Disk& a, const Disk& b) { return a.name == b.name; }
inline bool same_thing(const Cgroup& a, const Cgroup& b) { return a.id == b.id; }
inline bool same_thing(const Task& a, const Task& b) { return a.pid == b.pid && a.start_ticks == b.start_ticks; }
inline bool same_thing(const Loop& a, const Loop& b) { return a.number == b.number; }
inline bool same_thing(const SlowRequest&, const SlowRequest&) { return false; }
inline bool same_thing(const Event&, const Event&) { return false; }

}  // namespace assay::recorder
