#include "archive/pieces.hh"

#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "archive/seal.hh"
#include "archive/source.hh"

namespace assay::archive {
namespace {

// What compresses, what does not, and runs of zeros; more than a few pieces of gzip, and not a whole number of them.
std::string mixture(std::size_t size) {
    std::mt19937 random{7};
    std::string text;
    while (text.size() < size) {
        const unsigned what = random() % 3;
        for (int i = 0; i < 5000; ++i)
            text += what == 0 ? static_cast<char>(random()) : what == 1 ? "int x = 0;"[random() % 10] : '\0';
    }
    text.resize(size);
    return text;
}

std::string compressed(Format format, std::string_view text, int threads) {
    std::string out;
    const auto compressor = compressor_of(
        format,
        [&](ByteView bytes) -> Result<> {
            out += text_of(bytes);
            return ok;
        },
        threads);
    for (std::size_t at = 0; at < text.size(); at += 70'001)
        EXPECT_TRUE(compressor->add(bytes_of(text.substr(at, 70'001))));
    EXPECT_TRUE(compressor->finish());
    return out;
}

std::string decompressed(Format format, const std::string& bytes) {
    Input input{bytes_of(bytes)};
    const auto source = source_of(format, input);
    std::string text;
    std::vector<std::byte> buffer(buffer_bytes);
    for (;;) {
        auto count = source->read(buffer);
        if (!count) return "refused";
        if (*count == 0) return text;
        text += text_of(ByteView{buffer}.first(*count));
    }
}

TEST(Pieces, HowManyThreadsTakePartChangesNoByte) {
    for (const Format format : {Format::tar_gz, Format::tar_zst}) {
        for (const std::size_t size :
             {std::size_t{1}, gzip_piece_bytes, 4 * gzip_piece_bytes + 77, 14 * gzip_piece_bytes + 3}) {
            const std::string text = mixture(size);
            const std::string one = compressed(format, text, 1);
            EXPECT_EQ(one, compressed(format, text, 2));
            EXPECT_EQ(one, compressed(format, text, 7));
            EXPECT_EQ(decompressed(format, one), text);
        }
    }
}

// A disk that is full ends it, with pieces still under way.
TEST(Pieces, WhatCannotBeWrittenIsSaidAndNothingHangs) {
    int writes = 0;
    const auto compressor = compressor_of(
        Format::tar_gz,
        [&](ByteView) -> Result<> {
            if (++writes == 3) return Error{Fault::disk_full, "write: no space"};
            return ok;
        },
        3);
    const std::string text = mixture(12 * gzip_piece_bytes);
    Result<> result = ok;
    for (std::size_t at = 0; at < text.size() && result; at += gzip_piece_bytes)
        result = compressor->add(bytes_of(text).subspan(at, gzip_piece_bytes));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().fault(), Fault::disk_full);
}

// What a piece is made into is looked at before it is written; here by a coder that finds that it does not come back.
TEST(Pieces, APieceThatDoesNotComeBackEndsIt) {
    class Faulty final : public PieceCoder {
    public:
        explicit Faulty(std::atomic<int>& pieces) : pieces_{pieces} {}
        Result<> append(std::string& out, std::string_view piece) override {
            if (++pieces_ == 4) return Error{Fault::internal, "it comes out otherwise"};
            out += piece;
            return ok;
        }

    private:
        std::atomic<int>& pieces_;
    };
    for (const int threads : {1, 3}) {
        std::atomic<int> made = 0;
        std::string out;
        Pieces pieces{{10, "", [&] { return std::make_unique<Faulty>(made); }},
                      [&](ByteView bytes) -> Result<> {
                          out += text_of(bytes);
                          return ok;
                      },
                      threads};
        Result<> result = pieces.add(bytes_of(std::string(95, 'x')));
        if (result) result = pieces.finish();
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().fault(), Fault::internal);
        EXPECT_LT(out.size(), 95u);
    }
}

}  // namespace
}  // namespace assay::archive
