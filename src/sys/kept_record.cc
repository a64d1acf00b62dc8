#include "sys/kept_record.hh"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.hh"
#include "sys/error.hh"
#include "sys/file.hh"
#include "sys/sha256.hh"

namespace assay::sys {
namespace {

constexpr std::size_t head_bytes = 64;
constexpr std::size_t block_bytes = 4096;
constexpr std::string_view magic = "ASKEPT1\n";

std::string number_bytes(std::uint64_t value) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
    return bytes;
}

std::uint64_t number_from(std::string_view bytes) {
    std::uint64_t value = 0;
    for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    return value;
}

std::string sum_of(std::uint64_t sequence, std::string_view content) {
    Sha256 sum;
    sum.add(bytes_of(number_bytes(sequence) + number_bytes(content.size())));
    sum.add(bytes_of(content));
    return from_hex(std::move(sum).hex()).value();
}

// Reads exactly so much, or less where the file ends.
Result<std::string> read_whole(const Fd& file, std::int64_t offset, std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
        const auto rest = std::as_writable_bytes(std::span{bytes.data() + filled, size - filled});
        ASSAY_TRY(const std::size_t count, read_at(file, rest, offset + static_cast<std::int64_t>(filled)));
        if (count == 0) break;
        filled += count;
    }
    bytes.resize(filled);
    return bytes;
}

}  // namespace

Result<KeptRecord> KeptRecord::open(const std::string& path, std::size_t size_max) {
    Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) return last_error("open", path);
    KeptRecord record{std::move(file), size_max};
    const std::int64_t wanted = 2 * record.place(1);
    ASSAY_TRY(const FileInfo info, info_of(record.file_));
    if (info.size < wanted) {
        if (auto given = preallocate(record.file_, wanted); !given) return given.take_error().in(path);
        ASSAY_CHECK(sync_all(record.file_));
        const std::size_t slash = path.rfind('/');
        ASSAY_CHECK(sync_directory(slash == std::string::npos ? "." : path.substr(0, slash)));
    }
    ASSAY_CHECK(record.load());
    return record;
}

// Where the record of this sequence lies: odd ones second.
std::int64_t KeptRecord::place(std::uint64_t sequence) const {
    const std::size_t size = (head_bytes + size_max_ + block_bytes - 1) / block_bytes * block_bytes;
    return sequence % 2 == 0 ? 0 : static_cast<std::int64_t>(size);
}

Result<> KeptRecord::load() {
    for (const std::uint64_t which : {0U, 1U}) {
        ASSAY_TRY(const std::string head, read_whole(file_, place(which), head_bytes));
        if (head.size() < head_bytes || !head.starts_with(magic)) continue;
        const std::uint64_t sequence = number_from(std::string_view{head}.substr(8));
        const std::uint64_t size = number_from(std::string_view{head}.substr(16));
        if (size > size_max_ || sequence % 2 != which || sequence <= sequence_) continue;
        ASSAY_TRY(std::string content, read_whole(file_, place(which) + static_cast<std::int64_t>(head_bytes), size));
        if (content.size() != size || sum_of(sequence, content) != head.substr(24, 32)) continue;
        sequence_ = sequence;
        content_ = std::move(content);
    }
    return ok;
}

Result<> KeptRecord::save(std::string_view content) {
    if (content.size() > size_max_)
        return Error{Fault::too_large, "the record is larger than " + size_text(static_cast<std::int64_t>(size_max_))};
    if (failed_) return Error{Fault::disk_failed, "a sync of this record failed before"};
    const std::uint64_t next = sequence_ + 1;
    const std::string bytes = std::string{magic} + number_bytes(next) + number_bytes(content.size()) +
                              sum_of(next, content) + std::string(8, '\0') + std::string{content};
    std::size_t written = 0;
    while (written < bytes.size()) {
        const ssize_t count = ::pwrite(file_.get(), bytes.data() + written, bytes.size() - written,
                                       place(next) + static_cast<std::int64_t>(written));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return last_error("pwrite", "kept record");
        written += static_cast<std::size_t>(count);
    }
    if (auto synced = sync_data(file_); !synced) {
        failed_ = true;
        return synced.take_error();
    }
    sequence_ = next;
    return ok;
}

}  // namespace assay::sys
