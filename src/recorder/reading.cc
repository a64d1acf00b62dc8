#include "recorder/reading.hh"

#include <algorithm>
#include <memory>
#include <tuple>

#include "sys/fd.hh"
#include "sys/file.hh"

namespace assay::recorder {
namespace {

constexpr std::size_t window_bytes = 512 * 1024;
constexpr std::int64_t stretch_bytes_min =
    32 * 1024;  // a keyframe closer to the last stretch's begin starts none of its own
static_assert(window_bytes > 2 * frame_bytes_max);

// Calls `take(place, bytes, offset)` for each frame of `read` from `offset` to `end`, until it returns false.
Result<> each_place(const ReadAt& read, std::int64_t offset, std::int64_t end, auto&& take) {
    std::vector<std::byte> window(window_bytes);
    std::size_t kept = 0;  // bytes at the window's begin that are read already
    for (;;) {
        const std::int64_t left = end - offset - static_cast<std::int64_t>(kept);
        const std::size_t wanted =
            static_cast<std::size_t>(std::min<std::int64_t>(left, static_cast<std::int64_t>(window_bytes - kept)));
        std::size_t got = 0;
        while (got < wanted) {
            ASSAY_TRY(const std::size_t more, read(std::span{window}.subspan(kept + got, wanted - got),
                                                   offset + static_cast<std::int64_t>(kept + got)));
            if (more == 0) break;
            got += more;
        }
        const bool last = got < wanted || static_cast<std::int64_t>(wanted) == left;
        const ByteView bytes = ByteView{window}.first(kept + got);
        Finder finder{bytes, last};
        while (const auto place = finder.next()) {
            if (!take(*place, bytes.subspan(place->offset, place->size),
                      offset + static_cast<std::int64_t>(place->offset)))
                return ok;
        }
        if (last) return ok;
        const std::size_t tail = finder.tail();
        kept = bytes.size() - tail;
        offset += static_cast<std::int64_t>(tail);
        std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(tail), bytes.end(), window.begin());
    }
}

Result<ReadAt> reader_of(const std::string& path) {
    ASSAY_TRY(sys::Fd file, sys::open_read(path));
    ASSAY_TRY(const sys::FileInfo info, sys::info_of(file));
    if (info.kind != sys::FileInfo::Kind::regular) return Error{Fault::invalid, path + ": is no file"};
    auto shared = std::make_shared<sys::Fd>(std::move(file));
    return ReadAt{
        [shared](std::span<std::byte> buffer, std::int64_t offset) { return sys::read_at(*shared, buffer, offset); }};
}

}  // namespace

std::string cold_path(const std::string& data) { return data + "/recorder/ring"; }
std::string hot_link_path(const std::string& data) { return data + "/recorder/hot"; }

Result<Recording> Recording::open(const std::string& path) {
    ASSAY_TRY(const sys::FileInfo info, sys::info_of_path(path));
    if (info.kind != sys::FileInfo::Kind::directory) {
        ASSAY_TRY(ReadAt source, reader_of(path));
        return of({std::move(source)});
    }
    std::vector<ReadAt> sources;
    for (const std::string& ring : {cold_path(path), hot_link_path(path)}) {
        auto source = reader_of(ring);
        if (source) {
            sources.push_back(std::move(source).value());
        } else if (source.error().fault() != Fault::missing) {
            return source.take_error();
        }
    }
    if (sources.empty()) return Error{Fault::missing, path + ": nothing was recorded here"};
    return of(std::move(sources));
}

Result<Recording> Recording::open_hot(const std::string& data) {
    ASSAY_TRY(ReadAt source, reader_of(hot_link_path(data)));
    return of({std::move(source)});
}

Result<Recording> Recording::of(std::vector<ReadAt> sources) {
    Recording recording;
    recording.sources_ = std::move(sources);
    for (std::size_t i = 0; i < recording.sources_.size(); ++i) ASSAY_CHECK(recording.index(i));
    std::ranges::sort(recording.stretches_, [](const Stretch& a, const Stretch& b) {
        return std::tie(a.first_sequence, b.last_sequence) < std::tie(b.first_sequence, a.last_sequence);
    });
    return recording;
}

// Adds a frame to the stretch before it, or begins one. `joined`: the last stretch is of this source and still open.
void Recording::note(std::size_t source, const Place& place, std::int64_t offset, bool& joined) {
    const std::int64_t end = offset + static_cast<std::int64_t>(place.size);
    if (joined) {
        Stretch& stretch = stretches_.back();
        const bool follows = place.sequence == stretch.last_sequence + 1;
        if (follows && !(place.keyframe && offset - stretch.offset >= stretch_bytes_min)) {
            stretch.end = end;
            stretch.last_sequence = place.sequence;
            stretch.oldest_ns = std::min(stretch.oldest_ns, place.real_time_ns);
            stretch.newest_ns = std::max(stretch.newest_ns, place.real_time_ns);
            return;
        }
    }
    joined = place.keyframe && stretches_.size() < stretches_max;
    if (joined) {
        stretches_.push_back({.source = source,
                              .offset = offset,
                              .end = end,
                              .first_sequence = place.sequence,
                              .last_sequence = place.sequence,
                              .oldest_ns = place.real_time_ns,
                              .newest_ns = place.real_time_ns});
    } else {
        ++(place.keyframe ? damage_.stretches_left_out : damage_.orphans);
    }
}

Result<> Recording::index(std::size_t source) {
    bool joined = false;
    return each_place(sources_[source], 0, recording_bytes_max, [&](const Place& place, ByteView, std::int64_t offset) {
        note(source, place, offset, joined);
        return true;
    });
}

Recording::Extent Recording::extent() const {
    if (stretches_.empty()) return {};
    Extent extent{.oldest_ns = stretches_.front().oldest_ns,
                  .newest_ns = stretches_.front().newest_ns,
                  .first_sequence = stretches_.front().first_sequence};
    for (const Stretch& stretch : stretches_) {
        extent.oldest_ns = std::min(extent.oldest_ns, stretch.oldest_ns);
        extent.newest_ns = std::max(extent.newest_ns, stretch.newest_ns);
        extent.last_sequence = std::max(extent.last_sequence, stretch.last_sequence);
    }
    return extent;
}

Result<> Recording::each(const Range& range, const std::function<bool(const Frame&)>& take) {
    Decoder decoder;
    bool any = false;
    std::uint64_t told = 0;
    bool go_on = true;
    for (const Stretch& stretch : stretches_) {
        const bool covered = any && stretch.last_sequence <= told;
        if (covered || stretch.newest_ns < range.from_ns || stretch.oldest_ns > range.to_ns) continue;
        decoder.forget();
        ASSAY_CHECK(each_place(sources_[stretch.source], stretch.offset, stretch.end,
                               [&](const Place& place, ByteView bytes, std::int64_t) {
                                   const auto outcome = decoder.decode(bytes);
            // A writer may have passed by since the index was made.
                                   if (outcome == Decoder::Outcome::no_base) ++damage_.orphans;
                                   if (outcome == Decoder::Outcome::malformed) ++damage_.malformed;
                                   if (outcome != Decoder::Outcome::frame || (any && place.sequence <= told))
                                       return true;
                                   if (place.real_time_ns < range.from_ns || place.real_time_ns > range.to_ns)
                                       return true;
                                   any = true;
                                   told = place.sequence;
                                   go_on = take(decoder.frame());
                                   return go_on;
                               }));
        if (!go_on) break;
    }
    return ok;
}

}  // namespace assay::recorder
