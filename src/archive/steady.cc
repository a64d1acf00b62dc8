#include "archive/steady.hh"

#include <algorithm>
#include <array>
#include <thread>

#include "archive/seal.hh"
#include "archive/source.hh"
#include "sys/execute_bit.hh"
#include "sys/sha256.hh"

namespace assay::archive {
namespace {

constexpr std::size_t stream_bytes = std::size_t{1} << 20;

Trouble::Kind kind_of(Fault fault) {
    switch (fault) {
        case Fault::missing: return Trouble::Kind::vanished;
        case Fault::denied: return Trouble::Kind::denied;
        case Fault::busy: return Trouble::Kind::locked;
        default: return Trouble::Kind::unreadable;
    }
}

}  // namespace

void Disk::pause(sys::Duration time) { std::this_thread::sleep_for(time); }

Disk& real_disk() {
    static Disk disk;
    return disk;
}

std::optional<Trouble::Kind> change_between(const sys::FileInfo& before, const sys::FileInfo& after, std::int64_t had) {
    if (after.size < before.size || had < before.size) return Trouble::Kind::shrank;
    if (after.size > before.size || had > before.size) return Trouble::Kind::grew;
    if (before != after) return Trouble::Kind::rewritten;
    return std::nullopt;
}

bool may_hide(std::int64_t changed_ns, std::int64_t from_ns, std::int64_t to_ns) {
    return changed_ns + settled_after_ns >= from_ns && changed_ns <= to_ns;
}

bool is_program(std::string_view content) { return content.starts_with("#!") || content.starts_with("\x7f" "ELF"); }

bool may_pass(Trouble::Kind kind) {
    switch (kind) {
        case Trouble::Kind::shrank:
        case Trouble::Kind::grew:
        case Trouble::Kind::rewritten:
        case Trouble::Kind::written:
        case Trouble::Kind::locked:
        case Trouble::Kind::unreadable: return true;
        case Trouble::Kind::denied:
        case Trouble::Kind::vanished:
        case Trouble::Kind::not_a_file:
        case Trouble::Kind::too_large: return false;
    }
    return false;
}

std::optional<Steady> SteadyReader::read(const std::string& path, std::int64_t whole_bytes_max, std::int64_t size_max) {
    for (int reads = 1;; ++reads) {
        if (auto steady = attempt(path, whole_bytes_max, size_max)) return steady;
        trouble_.reads = reads;
        if (!may_pass(trouble_.kind) || reads >= patience_.reads_max) break;
        disk_.pause(patience_.first_pause * (1 << (reads - 1)));
    }
    if (may_pass(trouble_.kind)) trouble_.holders = disk_.holders(root_, path);
    return std::nullopt;
}

std::optional<Steady> SteadyReader::attempt(const std::string& path, std::int64_t whole_bytes_max,
                                            std::int64_t size_max) {
    auto file = disk_.open(root_, path);
    if (!file) return refuse(kind_of(file.error().fault()), path, file.error().text());
    const auto guard = disk_.guard(*file);
    const std::int64_t from_ns = disk_.stamp_ns();
    const auto before = disk_.info(*file);
    if (!before) return refuse(Trouble::Kind::unreadable, path, before.error().text());
    if (before->kind != sys::FileInfo::Kind::regular) return refuse(Trouble::Kind::not_a_file, path);
    if (before->size > size_max) return refuse(Trouble::Kind::too_large, path, size_text(size_max));

    Steady steady{
        .whole = before->size <= whole_bytes_max, .size = before->size, .executable = (before->mode & 0100) != 0};
    sys::Sha256 sha256;
    head_.clear();
    const auto sum = [&](ByteView bytes) -> Result<> {
        sha256.add(bytes);
        steady.checksum = crc32_of(bytes, steady.checksum);
        const std::size_t room = static_cast<std::size_t>(head_bytes) - head_.size();
        head_ += text_of(bytes.first(std::min(bytes.size(), room)));
        return ok;
    };
    const auto had = steady.whole ? read_whole(*file, before->size) : read_through(*file, before->size, sum);
    if (!had) return refuse(kind_of(had.error().fault()), path, had.error().text());
    const bool kept_out = guard && guard->held();
    bool differs = false;
    if (!kept_out && steady.whole && *had == before->size) {
        const auto same = reads_the_same(*file, bytes_of(buffer_).first(static_cast<std::size_t>(*had)));
        if (!same) return refuse(kind_of(same.error().fault()), path, same.error().text());
        differs = !*same;
    }
    const auto after = disk_.info(*file);
    if (!after) return refuse(Trouble::Kind::unreadable, path, after.error().text());
    if (const auto change = change_between(*before, *after, *had)) return refuse(*change, path);
    if (differs) return refuse(Trouble::Kind::rewritten, path);
    if (!kept_out && may_hide(after->changed_ns, from_ns, disk_.stamp_ns()))
        return refuse(Trouble::Kind::written, path);

    if (!sys::keeps_execute_bit()) steady.executable = is_program(steady.whole ? std::string_view{buffer_}.substr(0, static_cast<std::size_t>(*had)) : head_);
    steady.content = std::string_view{steady.whole ? buffer_ : head_}.substr(0, static_cast<std::size_t>(*had));
    if (steady.whole) {
        steady.checksum = crc32_of(steady.content);
    } else {
        steady.sha256 = std::move(sha256).hex();
        steady.file = std::move(*file);
    }
    return steady;
}

Result<std::int64_t> SteadyReader::read_whole(const sys::Fd& file, std::int64_t expected) {
    const std::size_t wanted = static_cast<std::size_t>(expected) + 1;
    if (buffer_.size() < wanted) buffer_.resize(wanted);
    std::size_t had = 0;
    while (had < wanted) {
        const std::span<char> room = std::span{buffer_}.subspan(had, wanted - had);
        ASSAY_TRY(const std::size_t count,
                  disk_.read(file, std::as_writable_bytes(room), static_cast<std::int64_t>(had)));
        if (count == 0) break;
        had += count;
    }
    return static_cast<std::int64_t>(had);
}

Result<bool> SteadyReader::reads_the_same(const sys::Fd& file, ByteView content) {
    std::array<std::byte, buffer_bytes> again;
    for (std::size_t had = 0; had < content.size();) {
        const std::size_t wanted = std::min(again.size(), content.size() - had);
        ASSAY_TRY(const std::size_t count,
                  disk_.read(file, std::span{again}.first(wanted), static_cast<std::int64_t>(had)));
        if (count == 0 || !std::ranges::equal(std::span{again}.first(count), content.subspan(had, count))) return false;
        had += count;
    }
    return true;
}

Result<std::int64_t> SteadyReader::read_through(const sys::Fd& file, std::int64_t expected,
                                                const std::function<Result<>(ByteView)>& take) {
    if (buffer_.size() < stream_bytes) buffer_.resize(stream_bytes);
    const std::span<std::byte> room = std::as_writable_bytes(std::span{buffer_}).first(stream_bytes);
    std::int64_t had = 0;
    while (had <= expected) {
        const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(stream_bytes, expected + 1 - had));
        ASSAY_TRY(const std::size_t count, disk_.read(file, room.first(wanted), had));
        if (count == 0) break;
        had += static_cast<std::int64_t>(count);
        ASSAY_CHECK(take(room.first(count)));
    }
    return had;
}

Result<bool> SteadyReader::stream(const std::string& path, const Steady& steady,
                                  const std::function<Result<>(ByteView)>& take) {
    sys::Sha256 sha256;
    bool taken = true;
    const auto sum_and_take = [&](ByteView bytes) -> Result<> {
        sha256.add(bytes);
        auto result = take(bytes);
        taken = static_cast<bool>(result);
        return result;
    };
    auto had = read_through(steady.file, steady.size, sum_and_take);
    if (!had && !taken) return had.take_error();
    trouble_.reads = 2;
    if (!had) {
        refuse(kind_of(had.error().fault()), path, had.error().text());
    } else if (*had != steady.size) {
        refuse(*had < steady.size ? Trouble::Kind::shrank : Trouble::Kind::grew, path);
    } else if (std::move(sha256).hex() != steady.sha256) {
        refuse(Trouble::Kind::rewritten, path);
    } else {
        return true;
    }
    trouble_.holders = disk_.holders(root_, path);
    return false;
}

std::nullopt_t SteadyReader::refuse(Trouble::Kind kind, const std::string& path, std::string detail) {
    trouble_ = {.kind = kind, .path = path, .detail = std::move(detail), .reads = trouble_.reads};
    return std::nullopt;
}

}  // namespace assay::archive
