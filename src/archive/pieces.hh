// Pieces: a stream cut into pieces of one size, each made into its compressed form by itself, several at a time, and written in
// the order of the stream. How many threads take part changes no byte. Internal to archive.
//
// Memory: at most `in_flight_bytes_max` of pieces and their forms, and one coder for each thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "archive/compressor.hh"

namespace assay::archive {

// What one thread makes of pieces. The same piece gives the same form, whichever coder made it.
class PieceCoder {
public:
    virtual ~PieceCoder() = default;
    // Appends the piece's form to `out`, after it was decompressed again and compared. Errors: internal (it comes out otherwise).
    virtual Result<> append(std::string& out, std::string_view piece) = 0;
};

class Pieces final : public Compressor {
public:
    struct Kind {
        std::size_t piece_bytes = 0;
        std::string_view first;  // what the file begins with
        std::function<std::unique_ptr<PieceCoder>()> make_coder;
    };
    static constexpr std::size_t in_flight_bytes_max = std::size_t{24} << 20;
    static constexpr int threads_max = 8;

    // `threads` is from 1 on; more than threads_max, or than memory allows, are not started. With 1 all is done in the caller's.
    Pieces(Kind, Sink, int threads);
    ~Pieces() override;  // Ends its threads; a piece under way is made to its end first.
    Pieces(const Pieces&) = delete;
    Pieces& operator=(const Pieces&) = delete;

    Result<> add(ByteView) override;
    Result<> finish() override;

private:
    struct Slot {
        std::string piece;
        std::string form;
        Result<> made;
        bool done = false;
    };

    Result<> flush();  // what was collected goes to the threads
    Result<> write_oldest();  // waits for it
    void work(PieceCoder&);

    const Kind kind_;
    const Sink sink_;
    std::string filling_;
    bool begun_ = false;
    std::unique_ptr<PieceCoder> own_;  // where there are no threads
    std::string own_form_;

    std::vector<std::unique_ptr<Slot>> free_;
    std::deque<std::unique_ptr<Slot>> in_order_;  // given out and not yet written, oldest first
    std::mutex mutex_;  // over what follows, and over what a slot in `in_order_` says of `done`
    std::deque<Slot*> waiting_;
    bool ending_ = false;
    std::condition_variable work_there_, piece_done_;
    std::vector<std::jthread> threads_;
};

}  // namespace assay::archive
