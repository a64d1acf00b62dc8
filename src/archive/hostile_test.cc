#include <gtest/gtest.h>

#include <sys/resource.h>

#include <cstdlib>

#include "archive/archive.hh"
#include "archive/tar_builder.hh"
#include "archive/verifiers.hh"
#include "archive/verify.hh"
#include "archive/zip_builder.hh"
#include "sys/child.hh"
#include "sys/file.hh"
#include "testing/patience.hh"

namespace assay::archive {
namespace {

using model::Refusal;

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool under_sanitizer = true;
#else
constexpr bool under_sanitizer = false;
#endif

constexpr std::int64_t mib = 1 << 20;

struct Hostile {
    const char* name;
    std::string bytes;
    std::optional<Refusal> code;  // nullopt: slow, so that how fast the machine is decides what becomes of it, within the bounds
    const char* text;
    model::UploadRules rules{};
};

std::string zeros(std::int64_t count) { return std::string(static_cast<std::size_t>(count), '\0'); }
std::string noise(std::size_t count) {
    std::string bytes;
    for (unsigned state = 1; bytes.size() < count;) bytes += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
}
std::string tar_of(std::int64_t file_bytes) {
    return TarBuilder{}.raw(TarBuilder::header("zeros", '0', static_cast<std::size_t>(file_bytes))).bytes + zeros(file_bytes) + zeros(1024);
}

std::string operator*(const std::string& text, std::size_t times) {
    std::string all;
    all.reserve(text.size() * times);
    while (times-- > 0) all += text;
    return all;
}

// Almost as many files as are allowed, of zeros, which together are more than is allowed; packed in many pieces.
template <class F>
std::string small_members(F packed) {
    std::string all;
    TarBuilder piece;
    for (int i = 0; i < 19'990; ++i) {
        piece.file(fmt::format("f{}", i), zeros(7000));
        if (i % 32 == 0) all += packed(std::exchange(piece.bytes, {}));
    }
    return all + packed(piece.done());
}

// Blocks that take longest to put in order again for what they weigh: one line of noise, over and over, in steps that no cache foresees.
std::string slow_bzip2(std::size_t line_bytes) {
    constexpr std::size_t block_bytes = 1757 * 512;
    constexpr std::size_t blocks = 140;
    const std::string block = (noise(line_bytes) * (block_bytes / line_bytes + 1)).substr(0, block_bytes);
    return bzip2(TarBuilder::header("slow", '0', block_bytes * blocks)) + bzip2(block) * blocks + bzip2(zeros(1024));
}

// LZMA2 in chunks of a few bytes, each of which has all probabilities made anew. liblzma would never write that: so its pieces are
// put together here.
std::string slow_xz() {
    constexpr std::size_t chunk_bytes = 128;
    constexpr std::size_t chunks = 800'000;
    lzma_options_lzma options;
    lzma_lzma_preset(&options, 6);
    options.dict_size = LZMA_DICT_SIZE_MIN;
    options.lc = 4;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
    const auto bytes = [](std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); };
    const auto done = [](lzma_ret result) { EXPECT_EQ(result, LZMA_OK); };
    const auto raw = [&](std::string data) {
        std::string out(data.size() + 1024, '\0');
        std::size_t size = 0;
        done(lzma_raw_buffer_encode(filters, nullptr, bytes(data), data.size(), bytes(out), &size, out.size()));
        return out.substr(0, size - 1);  // without the end marker
    };
    const std::string chunk(chunk_bytes, 'a');
    std::string data = TarBuilder::header("slow", '0', chunk_bytes * chunks) + chunk * chunks + zeros(1024);
    const std::string body = raw(TarBuilder::header("slow", '0', chunk_bytes * chunks)) + raw(chunk) * chunks + raw(zeros(1024)) + '\0';

    lzma_stream_flags flags{};
    flags.check = LZMA_CHECK_CRC32;
    lzma_block block{};
    block.check = LZMA_CHECK_CRC32;
    block.filters = filters;
    block.compressed_size = body.size();
    block.uncompressed_size = data.size();
    done(lzma_block_header_size(&block));
    std::string stream_head(LZMA_STREAM_HEADER_SIZE, '\0');
    std::string block_head(block.header_size, '\0');
    done(lzma_stream_header_encode(&flags, bytes(stream_head)));
    done(lzma_block_header_encode(&block, bytes(block_head)));
    lzma_index* const index = lzma_index_init(nullptr);
    done(lzma_index_append(index, nullptr, lzma_block_unpadded_size(&block), block.uncompressed_size));
    flags.backward_size = lzma_index_size(index);
    std::string end(flags.backward_size, '\0');
    std::size_t at = 0;
    done(lzma_index_buffer_encode(index, bytes(end), &at, end.size()));
    lzma_index_end(index, nullptr);
    std::string foot(LZMA_STREAM_HEADER_SIZE, '\0');
    done(lzma_stream_footer_encode(&flags, bytes(foot)));
    const std::string padding((4 - body.size() % 4) % 4, '\0');
    return stream_head + block_head + body + padding + ZipBuilder::number(lzma_crc32(bytes(data), data.size(), 0), 4) + end + foot;
}

model::UploadRules large_rules() {
    model::UploadRules rules;
    rules.unpacked_max = 4LL << 30;
    rules.entries_max = 1'000'000;
    return rules;
}

class List {
public:
    void operator()(const char* name, std::string bytes, std::optional<Refusal> code, const char* text, model::UploadRules rules = {}) {
        all.push_back({name, std::move(bytes), code, text, std::move(rules)});
    }
    std::vector<Hostile> all;
};

// Each class of what an archive must not be, by the means that bites most: what no other test measures.
std::vector<Hostile> bombs() {
    List add;
    const std::string bomb = tar_of(129 * mib);
    add("bomb, gzip", gzip(bomb, 9), Refusal::unpacks_too_large, "unpacked '128 MiB'");
    add("bomb, bzip2", bzip2(bomb), Refusal::unpacks_too_large, "unpacked '128 MiB'");
    add("bomb, xz", xz(bomb, LZMA_CHECK_CRC64, 0), Refusal::unpacks_too_large, "unpacked '128 MiB'");
    add("bomb, zstd", zstd(bomb), Refusal::unpacks_too_large, "unpacked '128 MiB'");
    add("one file too large", TarBuilder{}.raw(TarBuilder::header("f", '0', 2u << 30)).bytes, Refusal::unpacks_too_large,
        "file_too_large '1 GiB'", large_rules());
    // Behind a MiB of noise zeros that grow 1,000 times: refused by the rate, long before the bound on the whole.
    add("grows too fast", gzip(TarBuilder{}.file("noise", noise(3 * mib / 2)).raw(TarBuilder::header("zeros", '0', 260u << 20)).bytes + zeros(260 * mib), 1),
        Refusal::unpacks_too_large, "grows_too_fast '200'", large_rules());
    {
        ZipBuilder zip;
        zip.add("zeros", zeros(64 * mib)).local.size = 0x7000'0000;
        zip.entries[0].central.size = 0x7000'0000;
        add("bomb, zip", zip.done(), Refusal::unpacks_too_large, "unpacked '128 MiB'");
    }
    return add.all;
}

std::vector<Hostile> many_and_slow() {
    List add;
    add("small members, tar", small_members([](std::string_view data) { return std::string{data}; }), Refusal::unpacks_too_large, "unpacked '128 MiB'");
    add("small members, gzip", small_members([](std::string_view data) { return gzip(data); }), Refusal::unpacks_too_large, "unpacked '128 MiB'");
    add("small members, bzip2", small_members([](std::string_view data) { return bzip2(data); }), Refusal::unpacks_too_large, "unpacked '128 MiB'");
    add("small members, xz", small_members([](std::string_view data) { return xz(data, LZMA_CHECK_CRC64, 0); }), Refusal::unpacks_too_large, "unpacked '128 MiB'");
    add("small members, zstd", small_members([](std::string_view data) { return zstd(data); }), Refusal::unpacks_too_large, "unpacked '128 MiB'");
    {
        ZipBuilder zip;
        for (int i = 0; i < 19'990; ++i) zip.add(fmt::format("f{}", i), zeros(7000));
        add("small members, zip", zip.done(), Refusal::unpacks_too_large, "unpacked '128 MiB'");
    }
    add("slow, bzip2", slow_bzip2(1000), std::nullopt, "");
    add("slow and small, bzip2", slow_bzip2(50), std::nullopt, "");
    add("slow, xz", slow_xz(), std::nullopt, "");
    return add.all;
}

std::vector<Hostile> crooked_archives() {
    List add;
    {
        std::string many = gzip(TarBuilder{}.file("a").done());
        const std::string empty = gzip("");
        for (int i = 0; i < 70'000; ++i) many += empty;
        add("empty members", many, Refusal::unsafe, "empty_members");
    }
    {
        std::string many = bzip2(TarBuilder{}.file("a").done());
        const std::string empty = bzip2("");
        for (int i = 0; i < 70'000; ++i) many += empty;
        add("empty streams", many, Refusal::unsafe, "empty_members");
    }
    add("window, xz", xz(TarBuilder{}.file("a").done(), LZMA_CHECK_CRC64, 9), Refusal::format, "window_too_large");
    add("window, zstd", zstd(TarBuilder{}.file("a").done(), true, 27), Refusal::format, "window_too_large");
    {
        TarBuilder tar;
        for (int i = 0; i < 30'000; ++i) tar.file(fmt::format("f{}", i), "");
        add("entries", gzip(tar.done(), 1), Refusal::too_many_entries, "entries '20000'");
    }
    {
        TarBuilder tar;
        const std::string wide = std::string(240, 'a') + "/" + std::string(240, 'b') + "/" + std::string(240, 'c') + "/" + std::string(200, 'd');
        for (int i = 0; i < 9000; ++i) tar.pax("path", fmt::format("{:04}{}", i, wide)).file("x");
        add("names", gzip(tar.done(), 1), Refusal::too_many_entries, "names_too_large");
    }
    {
        TarBuilder tar;
        const std::string record = fmt::format("{} comment={}\n", 700'000, std::string(700'000 - 16, 'x'));
        for (int i = 0; i < 100; ++i) tar.member("pax", 'x', record).file(fmt::format("f{}", i));
        add("headers", gzip(tar.done(), 1), Refusal::unsafe, "headers_too_large");
    }
    add("zeros behind the end", gzip(TarBuilder{}.file("a").done() + zeros(17 * mib)), Refusal::unpacks_too_large, "padding");
    {
        TarBuilder tar;
        tar.file("a", std::string(mib, 'a'));
        for (int i = 0; i < 200; ++i) tar.hardlink(fmt::format("l{}", i), "a");
        add("hard links", tar.done(), Refusal::unpacks_too_large, "unpacked");
    }
    add("sparse", TarBuilder{}.member("x", 'S', "").done(), Refusal::format, "sparse");
    add("device", TarBuilder{}.member("x", '3', "").done(), Refusal::format, "device");
    add("upward", TarBuilder{}.file("../x").done(), Refusal::unsafe, "name_upward");
    add("link outside", TarBuilder{}.link("l", "../x").done(), Refusal::unsafe, "link_outside");
    add("through a link", TarBuilder{}.link("l", "a").file("l/x").done(), Refusal::unsafe, "below_no_folder");
    add("names meet", TarBuilder{}.file("a").file("A").done(), Refusal::unsafe, "names_meet");
    add("file against folder", TarBuilder{}.file("a").file("a/b").done(), Refusal::unsafe, "below_no_folder");
    add("gzip in gzip", gzip(gzip(TarBuilder{}.file("a", noise(2000)).done())), Refusal::not_an_archive, "no_tar");
    add("not closed", gzip(TarBuilder{}.file("a").bytes), Refusal::damaged, "end_missing");
    return add.all;
}

std::int64_t cpu_ms(const rusage& usage) {
    const auto ms = [](const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; };
    return ms(usage.ru_utime) + ms(usage.ru_stime);
}

struct Cost {
    std::int64_t cpu_ms = 0;
    std::int64_t memory_kib = 0;
};

// A small process between this one and the verifier: the kernel counts what a child shared with its parent to the child.
__attribute__((constructor)) void play_probe(int argc, char** argv) {
    if (argc != 3 || std::string_view{argv[1]} != "probe") return;
    const sys::Fd archive{3}, out{4};
    const auto rules = std::string_view{argv[2]} == "large" ? large_rules() : model::UploadRules{};
    const auto verdict = [&] {
        Verifiers verifiers{{}};
        auto of_it = verifiers.verify(archive, rules, sys::system_clock().now());
        const sys::Fd sound = sys::memory_file("sound", bytes_of(TarBuilder{}.file("a").done()), true).value();
        const auto of_the_next = verifiers.verify(sound, {}, sys::system_clock().now());
        if (!of_the_next || !of_the_next->manifest) std::_Exit(2);
        return of_it;
    }();
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    const std::string answer = fmt::format("{} {} {}", cpu_ms(usage), usage.ru_maxrss, answer_to_json(verdict));
    std::_Exit(sys::write_all(out, std::string_view{answer}) ? 0 : 1);
}

Result<Verdict> judged(const Hostile& hostile, Cost& cost) {
    ASSAY_TRY(const sys::Fd archive, sys::memory_file("hostile", bytes_of(hostile.bytes), true));
    ASSAY_TRY(const sys::Fd out, sys::memory_file("cost", {}, false));
    sys::ChildSpec spec;
    spec.arguments = {"probe", hostile.rules.unpacked_max > model::UploadRules{}.unpacked_max ? "large" : "usual"};
    spec.descriptors = {-1, -1, 2, archive.get(), out.get()};
    ASSAY_TRY(sys::Child child, sys::Child::start(spec));
    const sys::Exit exit = std::move(child).wait();
    if (!exit.signalled && exit.code == 2) return Error{Fault::internal, "the next archive was not accepted at once"};
    if (exit.signalled || exit.code != 0) return Error{Fault::internal, "the probe failed"};
    ASSAY_CHECK(sys::rewind(out));
    ASSAY_TRY(const std::string text, sys::read_all(out, 1u << 20));
    char* end = nullptr;
    cost.cpu_ms = std::strtoll(text.c_str(), &end, 10);
    cost.memory_kib = std::strtoll(end, &end, 10);
    return answer_from_json(end);
}

std::string said_of(const Verdict& verdict) { return verdict.refused ? sentence(*verdict.refused) : "accepted"; }

// Whatever comes in, judging it costs no more than these, process by process, as the kernel counted; and the archive behind it is
// judged at once.
void expect_judged_within_bounds(const std::vector<Hostile>& list) {
    for (const Hostile& hostile : list) {
        Cost cost;
        const auto verdict = judged(hostile, cost);
        ASSERT_TRUE(verdict) << hostile.name << ": " << verdict.error().text();
        const std::string said = said_of(*verdict);
        const bool out_of_time =
            said.starts_with("damaged: reading_time");  // An emulated processor may be past it first.
        if (hostile.code && !(testing::patience() > 1 && out_of_time)) {
            EXPECT_TRUE(said.starts_with(to_string(*hostile.code))) << hostile.name << ": " << said;
            EXPECT_NE(said.find(hostile.text), std::string::npos) << hostile.name << ": " << said;
        } else {
            EXPECT_TRUE(said == "accepted" || out_of_time) << hostile.name << ": " << said;
        }
        if (under_sanitizer) continue;
        // What is slow and sound has its bound by its size; the rest of it is for starting, and for noticing.
        const auto cpu_max = hostile.code ? std::chrono::milliseconds{1000} : verifier_cpu_max(std::ssize(hostile.bytes)) + std::chrono::milliseconds{100};
        EXPECT_LE(cost.cpu_ms, cpu_max.count() * testing::patience()) << hostile.name;
        EXPECT_LE(cost.memory_kib, 64 * 1024) << hostile.name;
        fmt::print("{:24} {:8} bytes {:5} ms {:6} KiB: {}\n", hostile.name, hostile.bytes.size(), cost.cpu_ms, cost.memory_kib, said);
    }
}

TEST(Hostile, BombsAreJudgedWithin64MiBAndOneSecond) { expect_judged_within_bounds(bombs()); }
TEST(Hostile, ManyMembersAndSlowDataAreJudgedWithin64MiBAndTheirTime) { expect_judged_within_bounds(many_and_slow()); }
TEST(Hostile, CrookedArchivesAreJudgedWithin64MiBAndOneSecond) { expect_judged_within_bounds(crooked_archives()); }

}  // namespace
}  // namespace assay::archive
