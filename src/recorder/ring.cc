#include "recorder/ring.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/assert.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/quiet.hh"

namespace assay::recorder {
namespace {

constexpr std::size_t page = 4096;
constexpr std::int64_t segment_size = static_cast<std::int64_t>(segment_bytes);

std::optional<std::uint64_t> first_sequence(ByteView segment) {
    const auto place = Finder{segment, true}.next();
    return place && place->offset == 0 ? std::optional{place->sequence} : std::nullopt;
}

std::uint64_t last_sequence_of(ByteView segment) {
    Finder finder{segment, true};
    std::uint64_t last = 0;
    while (const auto place = finder.next()) last = std::max(last, place->sequence);
    return last;
}

struct Newest {
    std::uint64_t slot = 0;
    std::uint64_t first = 0;  // sequence numbers
    std::uint64_t last = 0;
};

// The slot with the newest segment. Slots are written one after the other, so that numbers rise from slot 0 up to the newest; where slot 0
// is torn, each is looked at.
template <class ReadSlot>
std::optional<Newest> newest_slot(std::uint64_t slots, ReadSlot read) {
    const auto first = [&](std::uint64_t slot) { return first_sequence(read(slot)); };
    std::optional<Newest> newest;
    if (const auto zero = first(0)) {
        std::uint64_t low = 0;  // rises up to here for sure
        for (std::uint64_t high = slots; low + 1 < high;) {
            const std::uint64_t middle = low + (high - low) / 2;
            const auto at = first(middle);
            (at && *at >= *zero ? low : high) = middle;
        }
        newest = {.slot = low, .first = first(low).value_or(*zero)};
    } else {
        for (std::uint64_t slot = 1; slot < slots; ++slot) {
            const auto at = first(slot);
            if (at && (!newest || *at > newest->first)) newest = {.slot = slot, .first = *at};
        }
    }
    if (newest) newest->last = last_sequence_of(read(newest->slot));
    return newest;
}

}  // namespace

std::int64_t cold_bytes_for(std::int64_t disk_bytes, std::int64_t free_bytes) {
    constexpr std::int64_t least = 4 << 20;
    constexpr std::int64_t most = 256 << 20;
    const std::int64_t wanted = std::clamp(disk_bytes / 256, least, most) / segment_size * segment_size;
    return free_bytes / 16 >= wanted ? wanted : 0;
}

std::string hot_path_for(const std::string& data) {
    const auto info = sys::info_of_path(data);
    if (!info) return "";
    const std::string name = fmt::format("{}{:x}-{:x}", hot_name_prefix, info->device, info->inode);
    for (const char* const directory : {"/run/assay", "/dev/shm"}) {
        if (sys::on_memory_file_system(directory)) return fmt::format("{}/{}", directory, name);
    }
    return "";
}

Result<std::unique_ptr<Rings>> Rings::open(const RingPlaces& places, std::vector<std::string>& refused) {
    auto rings = std::unique_ptr<Rings>{new Rings};
    rings->write_at_once_ = places.write_at_once;
    rings->hot_slots_ = static_cast<std::size_t>(hot_bytes / segment_size);
    const auto on_tmpfs = [&]() -> Result<sys::Mapping> {
        if (places.hot.empty()) return Error{Fault::missing, "there is no memory file system for the hot ring"};
        ASSAY_TRY(sys::RingFile file, sys::open_ring_file(places.hot.c_str(), hot_bytes, false));
        (void)sys::hold_quietly(file.file);  // So that nobody takes it for a dead one's.
        rings->hot_file_ = std::move(file.file);
        return sys::Mapping::of_file(rings->hot_file_, static_cast<std::size_t>(hot_bytes), true);
    };
    auto hot = on_tmpfs();
    if (!hot) {
        if (places.cold.empty() || !places.write_at_once)
            refused.push_back("a hot ring that outlives the recorder: " + hot.error().text());
        hot = sys::Mapping::of_memory(static_cast<std::size_t>(hot_bytes));
        if (!hot) return hot.take_error();
    }
    rings->hot_ = std::move(hot).value();
    if (!places.cold.empty() && places.cold_bytes >= segment_size * 2) {
        auto cold = sys::open_ring_file(places.cold.c_str(), places.cold_bytes, true);
        if (cold) {
            rings->cold_ = std::move(cold->file);
            rings->cold_fresh_ = cold->fresh;
            rings->cold_slots_ = static_cast<std::uint64_t>(places.cold_bytes / segment_size);
        } else if (places.write_at_once) {
            return Error{cold.error().fault(), "nothing can be recorded: " + cold.error().text()};
        } else {
            refused.push_back("a ring on the disk: " + cold.error().text());
        }
    }
    rings->find_begin();
    return rings;
}

std::span<std::byte> Rings::segment(std::uint64_t number) const {
    return hot_.bytes().subspan(number % hot_slots_ * segment_bytes, segment_bytes);
}

void Rings::find_begin() {
    const auto hot = newest_slot(hot_slots_, [&](std::uint64_t slot) { return ByteView{segment(slot)}; });
    // Room for one segment, at a page's begin, as O_DIRECT wants it: nobody else uses it yet.
    std::optional<Newest> cold;
    if (cold_) {
        auto room = sys::Mapping::of_memory(segment_bytes);
        if (room) {
            const auto bytes = room->bytes();
            cold = newest_slot(cold_slots_, [&](std::uint64_t slot) {
                const std::span<char> text{reinterpret_cast<char*>(bytes.data()), bytes.size()};
                const std::ptrdiff_t got =
                    sys::read_quietly(cold_, text, static_cast<std::int64_t>(slot) * segment_size);
                return ByteView{bytes}.first(got > 0 ? static_cast<std::size_t>(got) : 0);
            });
        }
    }
    last_sequence_ = std::max(hot ? hot->last : 0, cold ? cold->last : 0);
    segment_ = (hot ? hot->slot + 1 : 0) + hot_slots_;  // never so small that counting back from it goes below 0
    used_ = 0;
    cold_from_ = segment_;
    std::uint64_t cold_slot = cold ? cold->slot + 1 : 0;  // where segment cold_from_ goes
    // What the hot ring knows and the cold one does not: from the segment that both begin with the same frame, or all of it.
    while (hot && cold_ && segment_ - cold_from_ < hot_slots_ - 1) {
        const auto first = first_sequence(segment(cold_from_ - 1));
        if (!first || *first > last_sequence_ || (cold && *first < cold->first)) break;
        if (cold_from_ < segment_ && *first >= first_sequence(segment(cold_from_)).value_or(0)) break;
        --cold_from_;
        if (cold && *first == cold->first) {
            cold_slot = cold->slot;
            break;
        }
    }
    if (cold_) cold_shift_ = (cold_slot + cold_slots_ - cold_from_ % cold_slots_) % cold_slots_;
    cold_sequence_ = cold ? cold->last : 0;
    begin_segment();
}

void Rings::rehearse(const Frame& frame) {
    const auto room = segment(segment_).subspan(used_, std::min(segment_bytes - used_, frame_bytes_max));
    for (const bool keyframe : {true, false}) (void)encoder_.encode(frame, keyframe, room);
    std::memset(room.data(), 0, room.size());
    encoder_.forget();
}

void Rings::hold(std::uint64_t number) const { hot_.hold(number % hot_slots_ * segment_bytes, segment_bytes); }

void Rings::begin_segment() {
    hold(segment_);
    sys::touch_quietly(hot_file_);
    hot_.let_go((segment_ - 1) % hot_slots_ * segment_bytes, segment_bytes);
    std::memset(segment(segment_).data(), 0, segment_bytes);
    used_ = 0;
    encoder_.forget();
    told_.position.store(segment_ * segment_bytes, std::memory_order_release);
}

std::size_t Rings::append(const Frame& frame, bool soon) {
    ASSAY_ASSERT(frame.sequence == last_sequence_ + 1);
    // A frame is made beside its place first: whoever reads meanwhile, or comes after a kill -9, sees a whole one or a torn tail.
    std::size_t size = 0;
    for (int attempt = 0; attempt < 2; ++attempt) {
        const std::size_t left = segment_bytes - used_;
        const bool keyframe = used_ == 0 || since_keyframe_ + 1 >= keyframe_every;
        const bool whole = left >= frame_bytes_max || attempt == 1;
        const auto room = segment(segment_).subspan(used_, std::min(left, frame_bytes_max));
        size = room.size() >= frame_bytes_min ? encoder_.encode(frame, keyframe, room) : 0;
        const bool cut = size > 0 && (std::to_integer<unsigned>(room[6]) & flag_cut) != 0;
        if (size > 0 && (!cut || whole)) {
            since_keyframe_ = keyframe ? 0 : since_keyframe_ + 1;
            break;
        }
        if (!room.empty()) std::memset(room.data(), 0, room.size());
        ++segment_;
        begin_segment();
    }
    used_ += size;
    last_sequence_ = frame.sequence;
    told_.sequence.store(last_sequence_, std::memory_order_relaxed);
    told_.position.store(segment_ * segment_bytes + used_, std::memory_order_release);
    if (soon || write_at_once_) wake_.release();
    return size;
}

bool Rings::write_cold(std::uint64_t number, std::size_t from, std::size_t to) {
    const std::size_t first = from / page * page;
    const std::size_t last = (to + page - 1) / page * page;
    const std::uint64_t slot = (number + cold_shift_) % cold_slots_;
    const auto bytes = ByteView{segment(number)}.subspan(first, last - first);
    return sys::write_quietly(cold_, bytes, static_cast<std::int64_t>(slot * segment_bytes + first)) >= 0;
}

// Whatever happens here, the sampling goes on: an error is counted and the same part is tried again with the next turn.
void Rings::cold_main() {
    std::uint64_t at = cold_from_ * segment_bytes;  // up to here the cold ring has everything
    std::uint64_t prepared = cold_fresh_ ? 0 : cold_slots_;
    std::uint64_t whole =
        ~std::uint64_t{0};  // the segment whose slot was written to its end, which wiped what was there
    for (;;) {
        const bool ending = ending_.load(std::memory_order_acquire);
        const std::uint64_t sequence = told_.sequence.load(std::memory_order_relaxed);
        const std::uint64_t position = told_.position.load(std::memory_order_acquire);
        const std::uint64_t oldest = (position / segment_bytes - (hot_slots_ - 2)) * segment_bytes;
        at = std::max(at, oldest);  // The hot ring went round.
        hold(position / segment_bytes + 1);  // Where it was swapped out, this thread waits for it and not the sampling.
        bool good = true;
        while (good && at < position) {
            const std::uint64_t number = at / segment_bytes;
            const bool fresh = whole != number;
            const std::uint64_t end = std::min(position, (number + 1) * segment_bytes);
            const auto from = fresh ? 0 : static_cast<std::size_t>(at % segment_bytes);
            const auto to = fresh ? segment_bytes : static_cast<std::size_t>(end - number * segment_bytes);
            good = write_cold(number, from, to);
            if (good) {
                whole = number;
                at = end;
            }
        }
        good = sys::sync_quietly(cold_) && good;
        if (good) {
            cold_sequence_.store(sequence, std::memory_order_relaxed);
        } else {
            cold_errors_.fetch_add(1, std::memory_order_relaxed);
        }
        if (ending) break;
        // A fresh file's blocks are written once, a little each time, so that later writes change no metadata.
        if (good && prepared < cold_slots_) {
            const std::uint64_t slots = std::min<std::uint64_t>(
                cold_slots_ - prepared, static_cast<std::uint64_t>(cold_prepared_bytes / segment_size));
            for (std::uint64_t i = 0; i < slots; ++i, ++prepared) {
                static constexpr std::size_t align = page;
                alignas(align) static const std::byte zeros[segment_bytes]{};
                const std::uint64_t slot = prepared;
                const std::uint64_t now = (at / segment_bytes + cold_shift_) % cold_slots_;
                const std::uint64_t begin = (cold_from_ + cold_shift_) % cold_slots_;
                if (slot >= begin && slot <= now) continue;
                (void)sys::write_quietly(cold_, zeros, static_cast<std::int64_t>(slot * segment_bytes));
            }
        }
        (void)wake_.try_acquire_for(write_at_once_ ? std::chrono::milliseconds{60'000} : cold_every);
        while (wake_.try_acquire()) {}
    }
    ended_.store(true);
    done_.release();
}

void Rings::start() {
    if (cold_) thread_ = std::thread{[this] { cold_main(); }};
}

bool Rings::finish() {
    if (!thread_.joinable()) return true;
    ending_.store(true, std::memory_order_release);
    wake_.release();
    if (!done_.try_acquire_for(cold_end_max)) return false;
    thread_.join();
    return true;
}

Rings::~Rings() {
    if (!thread_.joinable()) return;
    if (!finish()) sys::exit_now(0);  // It waits for a disk that does not answer; all it lacks is in the hot ring.
}

}  // namespace assay::recorder
