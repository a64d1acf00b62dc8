// Partials: uploads that arrive in parts, in uploads/, until they are whole and judged.
//
// Of each two files: ID.json, what was promised for it, written once and durably before its address is given out, and once more when
// it has become a submission; and ID.part, its bytes so far. The file's length is the offset: bytes are appended and synced before
// an offset is told, so a kill at any moment costs at most what nobody was told of. A part with a checksum is kept apart in ID.check
// until the sum was right. What was not touched for `kept_ms` goes at the next look. After the machine itself went down, what lies
// behind the last sync may be anything, so one of an earlier boot begins anew.
//
// Bounded: `all_max` of them, of which a further one replaces the oldest that has become a submission; `own_max` of one participant and
// module, of which a further one replaces the oldest that is not in use.
//
// Threading: safe from every thread; a Hold by one at a time. Blocking, but for find and why_not.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/ids.hh"
#include "base/result.hh"
#include "base/text.hh"
#include "store/space.hh"
#include "sys/fd.hh"

namespace assay::store {

struct Partial {
    std::string id;  // 32 hex digits
    CourseId course;
    ModuleId module;
    ParticipantId participant;
    std::int64_t length = 0;  // promised
    std::string sha256;  // declared with the first byte; empty: not
    std::string key;  // the Idempotency-Key of whoever began it; may be empty
    std::int64_t first_byte_ms = 0;
    std::int64_t touched_ms = 0;  // when a part last came to its end
    std::int64_t offset = 0;  // durable bytes
    std::optional<SubmissionId> submission;  // what became of it; its bytes are gone then

    bool whole() const { return offset == length; }
};

class Partials {
public:
    static constexpr std::size_t all_max = 4096;
    static constexpr std::size_t own_max = 4;
    static constexpr std::int64_t kept_ms = 24LL * 60 * 60 * 1000;

    static constexpr std::size_t waiting_max = 8;  // for one to be let go

    // `directory`: uploads/, which exists. `boot`: names this run of the machine. `space` must outlive this when it is given.
    Partials(std::string directory, std::string boot, const Space* space = nullptr, std::size_t places = all_max)
        : directory_{std::move(directory)}, boot_{std::move(boot)}, space_{space}, places_{places} {}

    // What an earlier process left. Only while the directory's lock is held. Files that are nothing of ours are removed.
    Result<> load(std::int64_t now_ms);

    // `wanted`: without id, offset and submission. Errors: busy (all places are in use), disk_full, disk_failed.
    Result<Partial> create(Partial wanted, std::int64_t now_ms);
    std::optional<Partial> find(const std::string& id, std::int64_t now_ms) const;

    struct Entry;
    // The sole use of one: by the request that brings a part of it. Gone with the object, whatever became of the request.
    class Hold {
    public:
        Hold(Hold&&) noexcept = default;
        Hold& operator=(Hold&&) = delete;
        ~Hold();

        const Partial& partial() const;
        // Bytes of one part, in order. Errors: disk_full, disk_failed.
        Result<> begin_part(bool checked);
        Result<> append(ByteView);
        // Durable. Of a checked part, `good` says whether the sum was right; else it is as if it had not come.
        Result<> end_part(bool good, std::int64_t now_ms);
        Result<sys::Fd> open_to_read() const;
        Result<> became(const SubmissionId&, std::int64_t now_ms);
        void remove();

    private:
        friend class Partials;
        Hold(Partials& all, std::shared_ptr<Entry> entry) : all_{&all}, entry_{std::move(entry)} {}
        Partials* all_;
        std::shared_ptr<Entry> entry_;
        sys::Fd file_;
        bool checked_ = false;
        std::int64_t arrived_ = 0;  // of this part
    };
    // `give_up`: asks the holder to let go, from any thread. Errors: missing, busy (it is held; its
    // holder has been asked, and `freed` is called once it is gone, unless too many wait already).
    Result<Hold> hold(const std::string& id, std::int64_t now_ms, std::function<void()> give_up,
                      std::function<void()> freed);

    std::size_t count() const;

private:
    std::string path(const std::string& id, std::string_view suffix) const {
        return directory_ + "/" + id + std::string{suffix};
    }
    void remove_files(const std::string& id) const;
    void sweep(std::int64_t now_ms);  // with the mutex, as the next
    bool drop_oldest(const std::function<bool(const Entry&)>& of_these);
    Result<> write_promise(const Partial&) const;
    Result<std::shared_ptr<Entry>> read_promise(const std::string& id, std::int64_t now_ms) const;

    const std::string directory_;
    const std::string boot_;
    const Space* space_;
    const std::size_t places_;
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Entry>> entries_;  // guarded
};

}  // namespace assay::store
