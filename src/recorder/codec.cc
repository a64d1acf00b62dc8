#include "recorder/codec.hh"

#include <cstring>
#include <type_traits>

#include "base/assert.hh"
#include "recorder/crc32c.hh"
#include "recorder/fields.hh"

namespace assay::recorder {
namespace {

constexpr std::size_t section_head_bytes = 8;
constexpr std::size_t tail_bytes_max = 8 + 4;  // zeros up to a multiple of eight, and the checksum

template <class Number>
void put(std::byte* at, Number value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
        at[i] = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFF);
}

template <class Number>
Number get(const std::byte* at) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) value |= std::to_integer<std::uint64_t>(at[i]) << (8 * i);
    return static_cast<Number>(value);
}

// Small differences in few bytes, whatever their sign: 0, -1, 1, -2 … become 0, 1, 2, 3 … All arithmetic is modulo 2^64.
constexpr std::uint64_t zigzag(std::uint64_t difference) { return (difference << 1) ^ (0 - (difference >> 63)); }
constexpr std::uint64_t unzigzag(std::uint64_t value) { return (value >> 1) ^ (0 - (value & 1)); }
static_assert(unzigzag(zigzag(0x8000'0000'0000'0000)) == 0x8000'0000'0000'0000);

template <class T>
constexpr bool is_rows = false;
template <class Row, std::size_t n>
constexpr bool is_rows<Rows<Row, n>> = true;
template <class T>
constexpr bool is_number = std::is_same_v<std::remove_cvref_t<T>, std::uint64_t>;

void clear(auto& section) {
    if constexpr (is_rows<std::remove_cvref_t<decltype(section)>>) {
        section.clear();
    } else {
        section = {};
    }
}

// Writes while there is room; what is written after `full` does not count.
class Writer {
public:
    Writer(std::byte* at, std::byte* end) : at_{at}, end_{end} {}
    bool full() const { return full_; }
    std::byte* at() const { return at_; }

    void number(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7) byte(static_cast<std::byte>(value | 0x80));
        byte(static_cast<std::byte>(value));
    }
    void field(std::uint64_t value, std::uint64_t base) { number(zigzag(value - base)); }
    template <std::size_t n>
    void field(const ShortText<n>& text, const ShortText<n>& base) {
        if (text == base) return number(0);
        number(text.view().size() + 1);
        for (const char c : text.view()) byte(static_cast<std::byte>(c));
    }

private:
    void byte(std::byte value) {
        if (at_ == end_) {
            full_ = true;
            return;
        }
        *at_++ = value;
    }
    std::byte* at_;
    std::byte* end_;
    bool full_ = false;
};

template <class T>
void write_fields(Writer& out, const T& value, const T& base) {
    // The lists of fields of both run side by side: a field's place in the struct is the same in each.
    each_field(value, [&](const char*, const auto& field) {
        const auto offset = reinterpret_cast<const std::byte*>(&field) - reinterpret_cast<const std::byte*>(&value);
        const auto& before = *reinterpret_cast<const std::remove_cvref_t<decltype(field)>*>(
            reinterpret_cast<const std::byte*>(&base) + offset);
        out.field(field, before);
    });
}

constexpr std::size_t none = static_cast<std::size_t>(-1);

template <class Row, std::size_t n>
std::size_t base_of(const Row& row, std::size_t at, const Rows<Row, n>& base) {
    if (at < base.size() && same_thing(row, base[at])) return at;
    for (std::size_t i = 0; i < base.size(); ++i) {
        if (same_thing(row, base[i])) return i;
    }
    return none;
}

// Returns the section's flags.
template <class T>
std::uint16_t write_section(Writer& out, const T& section, const T& base) {
    if constexpr (is_rows<T>) {
        bool in_place = true;
        for (std::size_t i = 0; i < section.size(); ++i) {
            const std::size_t from = base_of(section[i], i, base);
            in_place = in_place && (from == i || from == none);
        }
        out.number(section.size());
        out.number(section.left_out);
        for (std::size_t i = 0; i < section.size(); ++i) {
            const std::size_t from = base_of(section[i], i, base);
            out.number(from == none ? 0 : from + 1);
            write_fields(out, section[i], from == none ? std::remove_cvref_t<decltype(section[i])>{} : base[from]);
        }
        return in_place ? section_flag_in_place : 0;
    } else {
        write_fields(out, section, base);
        return 0;
    }
}

class Reader {
public:
    explicit Reader(ByteView bytes) : at_{bytes.data()}, end_{bytes.data() + bytes.size()} {}
    bool ended() const { return at_ == end_; }
    bool broken() const { return broken_; }

    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (at_ == end_) break;
            const auto byte = std::to_integer<std::uint64_t>(*at_++);
            value |= (byte & 0x7F) << shift;
            if (byte < 0x80) return value;
        }
        broken_ = true;
        return 0;
    }
    void field(std::uint64_t& value) { value += unzigzag(number()); }
    template <std::size_t n>
    void field(ShortText<n>& text) {
        const std::uint64_t size = number();
        if (size == 0) return;
        if (size - 1 > n || size - 1 > static_cast<std::uint64_t>(end_ - at_)) {
            broken_ = true;
            return;
        }
        text.assign({reinterpret_cast<const char*>(at_), static_cast<std::size_t>(size - 1)});
        at_ += size - 1;
    }

private:
    const std::byte* at_;
    const std::byte* end_;
    bool broken_ = false;
};

// `section` holds what it was in the frame before; `before` is room for a copy of it.
template <class T>
bool read_section(Reader& in, std::uint16_t flags, T& section, T& before) {
    if constexpr (is_rows<T>) {
        const std::uint64_t count = in.number();
        section.left_out = in.number();
        const std::size_t known = section.size();
        if (in.broken() || count > T::size_max) return false;
        const bool in_place = (flags & section_flag_in_place) != 0;
        if (!in_place) before = section;
        section.resize(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < section.size(); ++i) {
            const std::uint64_t from = in.number();
            if (from > known || (in_place && from != 0 && from != i + 1)) return false;
            if (from == 0) {
                section[i] = {};
            } else if (!in_place) {
                section[i] = before[from - 1];
            }
            each_field(section[i], [&](const char*, auto& field) { in.field(field); });
            if (in.broken()) return false;
        }
        return true;
    } else {
        // A newer writer's fields beyond ours are left; an older one's section ends before, and then the rest is zero.
        bool more = true;
        each_field(section, [&](const char*, std::uint64_t& field) {
            more = more && !in.ended();
            if (more) {
                in.field(field);
            } else {
                field = 0;
            }
        });
        return !in.broken();
    }
}

}  // namespace

std::size_t Encoder::encode(const Frame& frame, bool keyframe, std::span<std::byte> out) {
    if (out.size() < frame_bytes_min) return 0;
    if (!known_ || frame.sequence != base_->sequence + 1) keyframe = true;
    if (keyframe) {
        each_section(*base_, [](Section, const char*, auto& section) { clear(section); });
    }
    std::uint16_t flags = keyframe ? flag_keyframe : 0;
    std::byte* const begin = out.data();
    std::byte* at = begin + frame_head_bytes;
    std::byte* const end = begin + std::min(out.size(), frame_bytes_max) - tail_bytes_max;
    std::uint64_t written = 0;

    each_section(frame, [&](Section id, const char*, const auto& section) {
        if (!frame.has(id)) return;
        const auto offset = reinterpret_cast<const std::byte*>(&section) - reinterpret_cast<const std::byte*>(&frame);
        const auto& base = *reinterpret_cast<const std::remove_cvref_t<decltype(section)>*>(
            reinterpret_cast<const std::byte*>(base_.get()) + offset);
        if (end - at < static_cast<std::ptrdiff_t>(section_head_bytes)) {
            flags |= flag_cut;
            return;
        }
        Writer writer{at + section_head_bytes, end};
        const std::uint16_t section_flags = write_section(writer, section, base);
        if (writer.full()) {
            flags |= flag_cut;
            return;
        }
        put(at, static_cast<std::uint16_t>(id));
        put(at + 2, section_flags);
        put(at + 4, static_cast<std::uint32_t>(writer.at() - at - static_cast<std::ptrdiff_t>(section_head_bytes)));
        at = writer.at();
        written |= std::uint64_t{1} << static_cast<unsigned>(id);
    });

    const auto used = static_cast<std::size_t>(at - begin);
    const std::size_t size = std::max(frame_bytes_min, (used + 4 + 7) / 8 * 8);
    ASSAY_ASSERT(size <= out.size());
    std::memset(at, 0, size - used);
    put(begin, frame_magic);
    put(begin + 4, format_version);
    put(begin + 6, flags);
    put(begin + 8, static_cast<std::uint32_t>(size));
    put(begin + 12, frame.boot);
    put(begin + 16, frame.sequence);
    put(begin + 24, frame.boot_time_ns);
    put(begin + 32, frame.monotonic_ns);
    put(begin + 40, frame.real_time_ns);
    put(begin + 48, frame.late_us);
    put(begin + 52, frame.cost_us);
    put(begin + size - 4, crc32c({begin, size - 4}));

    *base_ = frame;
    base_->sections = written;
    each_section(*base_, [&](Section id, const char*, auto& section) {
        if ((written >> static_cast<unsigned>(id) & 1U) == 0) clear(section);
    });
    known_ = true;
    return size;
}

std::optional<Place> Finder::next() {
    const std::size_t waste_max = bytes_.size() * waste_factor + frame_bytes_max;
    while (bytes_.size() - at_ >= 4) {
        const void* const found = std::memchr(bytes_.data() + at_, 'A', bytes_.size() - at_ - 3);
        if (found == nullptr) {
            skipped_ += bytes_.size() - at_ - 3;
            at_ = bytes_.size() - 3;
            return std::nullopt;
        }
        const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes_.data());
        skipped_ += offset - at_;
        at_ = offset;
        const std::byte* const head = bytes_.data() + at_;
        const std::size_t left = bytes_.size() - at_;
        const bool magic = get<std::uint32_t>(head) == frame_magic;
        if (magic && left < frame_bytes_min && !last_) return std::nullopt;
        const std::size_t size = magic && left >= frame_bytes_min ? get<std::uint32_t>(head + 8) : 0;
        const bool plausible = size != 0 && get<std::uint16_t>(head + 4) == format_version && size >= frame_bytes_min &&
                               size <= frame_bytes_max && size % 8 == 0;
        const bool beyond = plausible && size > left;
        if (beyond && !last_) return std::nullopt;
        if (plausible && !beyond && crc32c({head, size - 4}) == get<std::uint32_t>(head + size - 4)) {
            at_ += size;
            return Place{.offset = offset,
                         .size = size,
                         .keyframe = (get<std::uint16_t>(head + 6) & flag_keyframe) != 0,
                         .sequence = get<std::uint64_t>(head + 16),
                         .real_time_ns = get<std::int64_t>(head + 40)};
        }
        if (plausible && !beyond) wasted_ += size;
        if (wasted_ > waste_max) {
            skipped_ += left;
            at_ = bytes_.size();
            return std::nullopt;
        }
        ++at_;
        ++skipped_;
    }
    return std::nullopt;
}

Decoder::Outcome Decoder::decode(ByteView bytes) {
    ASSAY_ASSERT(bytes.size() >= frame_bytes_min);
    const std::byte* const head = bytes.data();
    Frame& frame = *frame_;
    const bool keyframe = (get<std::uint16_t>(head + 6) & flag_keyframe) != 0;
    const auto sequence = get<std::uint64_t>(head + 16);
    if (!keyframe && (!known_ || sequence != frame.sequence + 1)) {
        known_ = false;
        return Outcome::no_base;
    }
    known_ = false;  // until all of it is read
    if (keyframe) {
        each_section(frame, [](Section, const char*, auto& section) { clear(section); });
    }
    frame.sequence = sequence;
    frame.boot = get<std::uint32_t>(head + 12);
    frame.boot_time_ns = get<std::uint64_t>(head + 24);
    frame.monotonic_ns = get<std::uint64_t>(head + 32);
    frame.real_time_ns = get<std::int64_t>(head + 40);
    frame.late_us = get<std::uint32_t>(head + 48);
    frame.cost_us = get<std::uint32_t>(head + 52);
    frame.sections = 0;

    const std::byte* at = head + frame_head_bytes;
    const std::byte* const end = head + bytes.size() - 4;
    while (end - at >= static_cast<std::ptrdiff_t>(section_head_bytes)) {
        const auto id = get<std::uint16_t>(at);
        if (id == 0) break;  // the zeros before the checksum
        const auto flags = get<std::uint16_t>(at + 2);
        const std::size_t size = get<std::uint32_t>(at + 4);
        at += section_head_bytes;
        if (size > static_cast<std::size_t>(end - at)) return Outcome::malformed;
        Reader reader{{at, size}};
        at += size;
        if (id > static_cast<std::uint16_t>(Section::last_)) continue;  // of a newer writer
        const auto section_id = static_cast<Section>(id);
        if (frame.has(section_id)) return Outcome::malformed;
        bool good = true;
        each_section(frame, [&](Section known, const char*, auto& section) {
            if (known != section_id) return;
            const auto offset =
                reinterpret_cast<const std::byte*>(&section) - reinterpret_cast<const std::byte*>(&frame);
            auto& before = *reinterpret_cast<std::remove_cvref_t<decltype(section)>*>(
                reinterpret_cast<std::byte*>(before_.get()) + offset);
            good = read_section(reader, flags, section, before);
        });
        if (!good) return Outcome::malformed;
        frame.set(section_id);
    }
    each_section(frame, [&](Section id, const char*, auto& section) {
        if (!frame.has(id)) clear(section);
    });
    known_ = true;
    return Outcome::frame;
}

}  // namespace assay::recorder
