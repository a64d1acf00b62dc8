#include "recorder/codec.hh"

#include <gtest/gtest.h>

#include <vector>

#include "recorder/crc32c.hh"
#include "recorder/example_frames.hh"
#include "recorder/fields.hh"

namespace assay::recorder {
namespace {

// All of a frame as text, so that a difference names its field.
std::string told(const Frame& frame) {
    std::string text = "sequence " + std::to_string(frame.sequence) + " late " + std::to_string(frame.late_us) +
                       " real " + std::to_string(frame.real_time_ns);
    const auto row = [&](const auto& fields) {
        each_field(fields, [&](const char* name, const auto& field) {
            text += std::string{" "} + name + "=";
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, std::uint64_t>) {
                text += std::to_string(field);
            } else {
                text += field.view();
            }
        });
        text += "\n";
    };
    each_section(frame, [&](Section id, const char* name, const auto& section) {
        if (!frame.has(id)) return;
        text += std::string{name} + ":";
        if constexpr (requires { section.left_out; }) {
            for (const auto& one : section) row(one);
        } else {
            row(section);
        }
    });
    return text;
}

class Codec : public ::testing::Test {
protected:
    ByteView encode(const Frame& frame, bool keyframe = false) {
        bytes_.assign(frame_bytes_max, std::byte{0xEE});
        const std::size_t size = encoder_.encode(frame, keyframe, bytes_);
        return ByteView{bytes_}.first(size);
    }
    void expect_round_trip(const Frame& frame, bool keyframe = false) {
        ASSERT_EQ(decoder_.decode(encode(frame, keyframe)), Decoder::Outcome::frame);
        ASSERT_EQ(told(decoder_.frame()), told(frame));
    }

    Encoder encoder_;
    Decoder decoder_;
    Frame frame_;
    std::vector<std::byte> bytes_;
};

TEST(Crc32c, IsTheOneOfTheStandard) {
    EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283U);
    EXPECT_EQ(crc32c(bytes_of(std::string(32, '\0'))), 0x8A9136AAU);  // RFC 3720, B.4
    EXPECT_EQ(crc32c({}), 0U);
}

TEST_F(Codec, FramesComeBackAsTheyWere) {
    for (std::uint64_t second = 0; second < 200; ++second) {
        fill_example(frame_, second, second % 23);
        expect_round_trip(frame_, second % keyframe_every == 0);
    }
}

// Counters wrap, fall back when a device is plugged in anew, and levels go down: differences are signed and modulo 2^64.
TEST_F(Codec, AnyNumberMayFollowAnyOther) {
    constexpr std::uint64_t numbers[] = {0, ~0ULL, 1, 1ULL << 63, 127, 128, 0, ~0ULL - 1, 1ULL << 32};
    std::uint64_t second = 0;
    for (const std::uint64_t number : numbers) {
        fill_example(frame_, second++, 1);
        frame_.memory.free_bytes = number;
        frame_.cgroups[0].anon_bytes = number;
        expect_round_trip(frame_);
    }
}

// A row is told by its predecessor wherever that stood, so groups may come, go and change places.
TEST_F(Codec, RowsMayMove) {
    fill_example(frame_, 0, 6);
    expect_round_trip(frame_);
    for (std::uint64_t second = 1; second < 6; ++second) {
        fill_example(frame_, second, 6);
        std::swap(frame_.cgroups[0], frame_.cgroups[second]);
        frame_.cgroups[2].id = 100 + second;
        frame_.cgroups.resize(6 - second % 3);
        expect_round_trip(frame_);
    }
}

TEST_F(Codec, SectionsMayBeAbsentAndComeBack) {
    for (std::uint64_t second = 0; second < 8; ++second) {
        fill_example(frame_, second, 3);
        if (second % 2 == 1)
            frame_.sections &=
                ~(1ULL << static_cast<unsigned>(Section::memory) | 1ULL << static_cast<unsigned>(Section::cgroups));
        ASSERT_EQ(decoder_.decode(encode(frame_)), Decoder::Outcome::frame);
        EXPECT_EQ(told(decoder_.frame()), told(frame_));
        if (second % 2 == 1) {
            EXPECT_EQ(decoder_.frame().memory.free_bytes, 0U);
            EXPECT_EQ(decoder_.frame().cgroups.size(), 0U);
        }
    }
}

// The machine at its fullest: what explains most is kept, and the frame says that something is missing.
TEST_F(Codec, WhatDoesNotFitIsLeftOutBySections) {
    fill_example(frame_, 0, cgroups_max);
    for (Cgroup& group : frame_.cgroups) group.name.assign(std::string(120, 'g'));
    for (std::uint64_t i = 0; i < tasks_max; ++i) {
        *frame_.tasks.add() = {.pid = i, .name = {"t"}, .stack = {std::string(240, 's')}};
    }
    frame_.set(Section::tasks);
    const ByteView whole = encode(frame_);
    ASSERT_EQ(decoder_.decode(whole), Decoder::Outcome::frame);
    EXPECT_EQ(told(decoder_.frame()), told(frame_));
    EXPECT_LT(whole.size(), frame_bytes_max);

    std::vector<std::byte> small(1024);
    encoder_.forget();
    const std::size_t size = encoder_.encode(frame_, false, small);
    ASSERT_EQ(decoder_.decode(ByteView{small}.first(size)), Decoder::Outcome::frame);
    EXPECT_TRUE(decoder_.frame().has(Section::pressure));
    EXPECT_FALSE(decoder_.frame().has(Section::tasks));
    EXPECT_NE(std::to_integer<unsigned>(small[6]) & flag_cut, 0U);
}

TEST_F(Codec, ADifferenceWithoutItsBaseIsNoFrame) {
    fill_example(frame_, 0, 2);
    (void)encode(frame_);
    fill_example(frame_, 1, 2);
    EXPECT_EQ(decoder_.decode(encode(frame_)), Decoder::Outcome::no_base);
    fill_example(frame_, 2, 2);
    expect_round_trip(frame_, true);
}

// A later version adds a section, and fields at the end of one: both are stepped over.
TEST_F(Codec, UnknownSectionsAndFieldsAreSteppedOver) {
    fill_example(frame_, 0, 0);
    frame_.sections = 1ULL << static_cast<unsigned>(Section::recorder);
    (void)encode(frame_);
    std::vector<std::byte> longer(bytes_.begin(), bytes_.begin() + 128);
    std::fill(longer.begin() + frame_head_bytes, longer.end(), std::byte{0});
    const unsigned char sections[] = {200, 0, 0, 0,  3, 0, 0, 0, 9, 9, 9,  // section 200, three bytes
                                      1,   0, 0, 0,  8, 0, 0, 0, 4, 0, 0,
                                      0,   0, 0, 77, 77};  // `recorder` with eight fields
    std::memcpy(longer.data() + frame_head_bytes, sections, sizeof sections);
    longer[8] = std::byte{128};
    longer[9] = std::byte{0};
    const std::uint32_t crc = crc32c(ByteView{longer}.first(124));
    std::memcpy(longer.data() + 124, &crc, 4);
    ASSERT_EQ(decoder_.decode(longer), Decoder::Outcome::frame);
    EXPECT_EQ(decoder_.frame().recorder.interval_ms, 2U);
}

class Torn : public ::testing::Test {
protected:
    static constexpr std::size_t frames = 180;
    void SetUp() override {
        Encoder encoder;
        Frame frame;
        std::vector<std::byte> out(frame_bytes_max);
        for (std::uint64_t second = 0; second < frames; ++second) {
            fill_example(frame, second, 4);
            const std::size_t size = encoder.encode(frame, second % keyframe_every == 0, out);
            offsets_.push_back(bytes_.size());
            bytes_.insert(bytes_.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
        }
    }
    static std::vector<std::uint64_t> found(ByteView bytes) {
        Finder finder{bytes, true};
        std::vector<std::uint64_t> sequences;
        while (const auto place = finder.next()) sequences.push_back(place->sequence);
        return sequences;
    }
    std::vector<std::byte> bytes_;
    std::vector<std::size_t> offsets_;
};

TEST_F(Torn, OneDamagedByteCostsItsFrameAlone) {
    for (const std::size_t which : {std::size_t{0}, frames / 2, frames - 1}) {
        for (const std::size_t byte : {0U, 5U, 8U, 9U, 20U, 60U}) {
            auto damaged = bytes_;
            damaged[offsets_[which] + byte] ^= std::byte{0x10};
            const auto sequences = found(damaged);
            ASSERT_EQ(sequences.size(), frames - 1) << which << " " << byte;
            EXPECT_EQ(std::ranges::count(sequences, which + 1), 0);
        }
    }
}

TEST_F(Torn, ForeignBytesBetweenFramesCostNothing) {
    auto mixed = bytes_;
    const std::string foreign = "AFR1AFR1\x01 not a frame AFR";
    mixed.insert(mixed.begin() + static_cast<std::ptrdiff_t>(offsets_[70]), bytes_of(foreign).begin(),
                 bytes_of(foreign).end());
    mixed.insert(mixed.begin(), 777, std::byte{'A'});
    EXPECT_EQ(found(mixed).size(), frames);
}

TEST_F(Torn, AnEndCutAnywhereCostsTheLastFrameAtMost) {
    const std::size_t last = offsets_[frames - 1];
    for (std::size_t cut = last; cut < bytes_.size(); ++cut) {
        ASSERT_EQ(found(ByteView{bytes_}.first(cut)).size(), frames - 1);
    }
    EXPECT_EQ(found(bytes_).size(), frames);
}

// Heads that promise long frames, each overlapping the next: to try them all would take the square of the size.
TEST(Finder, HostileHeadsDoNotTakeForEver) {
    std::vector<std::byte> bytes(1 << 20);
    for (std::size_t at = 0; at + 64 <= bytes.size(); at += 16) {
        const unsigned char head[] = {'A', 'F', 'R', '1', 1, 0, 1, 0, 0, 0x80, 0, 0};
        std::memcpy(bytes.data() + at, head, sizeof head);
    }
    Finder finder{bytes, true};
    EXPECT_FALSE(finder.next());
    EXPECT_EQ(finder.tail(), bytes.size());  // It gave up instead of trying each: 2 GiB of checksums.
}

}  // namespace
}  // namespace assay::recorder
