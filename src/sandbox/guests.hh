// Guests: what a trusted stage asks for by /assay/run. Both ends of /assay/socket.
//
// The client's process listens (the runner's, never a privileged one) and passes each order on to a guest's keeper; the bytes
// of a guest's streams go straight between its pipes and the asking program. Protocol, over seqpacket: the program sends one
// GuestOrder, cut after its command, then nothing, or one byte when the output went over its limit; closing cancels. It gets the
// keeper's own answers: `started` with the descriptors stdout, stderr, stdin, then `finished` (failed: refused, `fault` says why).
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sandbox/protocol.hh"
#include "sandbox/sandbox.hh"
#include "sys/net.hh"

namespace assay::sandbox {

constexpr std::size_t guest_command_bytes_max = 48 << 10;  // arguments, each with its NUL
constexpr int guest_runs_max = 10'000;                     // of one trusted command, one after the other

struct GuestOrder {
    model::Limits limits;              // a negative number: the stage's own; more than it is cut down to it
    std::uint32_t command_bytes = 0;
    char command[guest_command_bytes_max];
};
static_assert(std::is_trivially_copyable_v<GuestOrder>);

// The arguments of an order. Errors: invalid (none, or a length or an end that is wrong).
Result<std::vector<std::string>> arguments_of(const GuestOrder&);
// What a guest gets: what it asked for, at most what its stage has.
model::Limits guest_limits(const model::Limits& asked, const model::Limits& stage);

class Guests {
public:
    // `job`: the job's socket, on which a trusted command with `limits` runs now. `listening`: /assay/socket; only `uid` is served.
    Guests(const sys::Fd& job, sys::Fd listening, std::uint32_t uid, const GuestRules&, const model::Limits& limits);
    ~Guests();  // Cancels what runs and waits for it.
    Guests(const Guests&) = delete;
    Guests& operator=(const Guests&) = delete;

private:
    struct Seat {  // its keeper, opened when it is needed, serves one guest after the other
        sys::Fd keeper;
        bool taken = false;
        int last_run = 0;
    };
    std::optional<sys::Accepted> next_connection();
    void work();
    Seat& take_seat();
    void give_back(Seat&);
    void open_ahead();
    void serve(Seat&, const sys::Fd& connection);
    Result<ToKeeper> order_of(const GuestOrder&, sys::Fd& command);  // `command`: empty when it stands in the order
    Result<> open(Seat&);
    bool take_memory(std::int64_t bytes);  // waits for its turn; false: all ends
    void give_memory(std::int64_t bytes);

    const sys::Fd& job_;
    const sys::Fd listening_;
    const std::uint32_t uid_;
    const GuestRules& rules_;
    const model::Limits limits_;
    sys::Fd stopped_;      // readable once all is to end
    sys::Fd stop_;
    std::mutex door_;  // of whoever waits for the next connection
    std::mutex mutex_;     // what follows
    std::condition_variable freed_;
    std::array<Seat, guests_max> seats_;
    std::int64_t memory_used_ = 0;
    int runs_ = 0;
    bool stopping_ = false;
    std::array<std::thread, guests_max> threads_;
};

// The program's side, which is a program of its own (program.hh): runs `command` as a guest between our own standard streams. The
// output limit is kept here.
struct GuestResult {
    model::Outcome outcome;  // with what was kept of the streams
};
// Its exit code, 128 + its signal, or exit_limit when a limit ended it: what /assay/run ends with.
constexpr int exit_limit = 124;
constexpr int exit_refused = 125;
int guest_exit_code(const model::Outcome&);
// Errors: unreachable (nobody listens, or the stage ends), invalid and busy (refused), system.
Result<GuestResult> run_guest(const std::string& socket, const std::vector<std::string>& command, const model::Limits& asked);
// All of `text` to `descriptor`, however long that takes. false: it cannot be written to.
bool guest_says(int descriptor, std::string_view text);

}  // namespace assay::sandbox
