// Events: server-sent events (HTML Living Standard, 9.2) about one thing that changes now and then.
//
// What is said is the thing as it is now, never a queue of what happened: a slow reader misses steps, not the truth. Each state
// has an id, so a client that comes back with Last-Event-ID is told only what it does not know. Memory is bounded: streams are
// counted, and each holds one event.
// Threading: answer() on a loop; a stream lives there. `wake` may be called from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/message.hh"
#include "loop/task.hh"

namespace assay::http {

struct Event {
    std::string id;    // of what is said: equal ids say the same. Without line feed, carriage return and NUL.
    std::string name;
    std::string data;  // any text
    bool last = false;                                // nothing can follow: the stream ends
    std::optional<std::chrono::milliseconds> again;   // looked at again after this though nobody woke it
};
// As it is written: with one `data:` for each line.
std::string event_text(const Event&);

// What a stream follows.
struct Followed {
    // Begins to call `wake` whenever something may have changed; ends when what it returns is released.
    std::function<std::shared_ptr<void>(std::function<void()> wake)> listen;
    // As things stand. Errors: busy and timed_out are tried again later, others end the stream.
    std::function<loop::Task<Result<Event>>()> look;
};

struct EventTimes {
    std::chrono::milliseconds gap{400};     // at least between two looks: changes in between become one
    std::chrono::milliseconds beat{15'000};
    std::chrono::milliseconds retry{3'000}; // what a client is told to wait before it comes back
    std::chrono::milliseconds idle{2'000};  // how soon a peer that went, or a stop of the server, is noticed
};

class EventStreams {
public:
    explicit EventStreams(int streams_max, EventTimes times = {}) : streams_max_{streams_max}, times_{times} {}

    // The stream; 204 when the client knows already that nothing can follow, which ends its coming back; 503 when there are
    // too many. Outlives its streams.
    loop::Task<Response> answer(Request request, Followed followed);

private:
    const int streams_max_;
    const EventTimes times_;
    std::shared_ptr<std::atomic<int>> open_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace assay::http
