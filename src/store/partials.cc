#include "store/partials.hh"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/assert.hh"
#include "base/log.hh"
#include "model/json.hh"
#include "sys/cut.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::store {
namespace {

constexpr std::size_t id_bytes = 16;
constexpr std::size_t promise_bytes_max = 4096;
constexpr std::size_t copy_bytes = 256u << 10;
constexpr std::string_view promise = ".json";
constexpr std::string_view bytes_so_far = ".part";
constexpr std::string_view unchecked = ".check";

bool is_id(std::string_view text) {
    return text.size() == 2 * id_bytes &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string to_json(const Partial& partial, const std::string& boot) {
    nlohmann::json json{{"course", partial.course.text()},
                        {"module", partial.module.text()},
                        {"participant", partial.participant.text()},
                        {"length", partial.length},
                        {"sha256", partial.sha256},
                        {"key", partial.key},
                        {"first_byte_ms", partial.first_byte_ms},
                        {"boot", boot}};
    if (partial.submission) json["submission"] = partial.submission->text();
    return json.dump();
}

// We wrote it ourselves, but a disk may have changed it. With it: the boot it was written in.
Result<std::pair<Partial, std::string>> from_json(const std::string& text) {
    ASSAY_TRY(const nlohmann::json json,
              model::parse_json(text, {.size_max = promise_bytes_max, .depth_max = 1, .values_max = 16}));
    const auto at = [&](const char* name) {
        return json.is_object() && json.contains(name) ? json[name] : nlohmann::json{};
    };
    const auto text_at = [&](const char* name) {
        return at(name).is_string() ? at(name).get<std::string>() : std::string{};
    };
    const auto number_at = [&](const char* name) {
        return at(name).is_number_integer() ? at(name).get<std::int64_t>() : std::int64_t{-1};
    };
    Partial partial{.id = {},
                    .course = CourseId{text_at("course")},
                    .module = ModuleId{text_at("module")},
                    .participant = ParticipantId{text_at("participant")},
                    .length = number_at("length"),
                    .sha256 = text_at("sha256"),
                    .key = text_at("key"),
                    .first_byte_ms = number_at("first_byte_ms")};
    if (const std::string submission = text_at("submission"); !submission.empty())
        partial.submission = SubmissionId{submission};
    if (partial.course.empty() || partial.module.empty() || partial.participant.empty() || partial.length < 0 ||
        partial.first_byte_ms < 0) {
        return Error{Fault::invalid, "not what an upload's promise is"};
    }
    return std::pair{std::move(partial), text_at("boot")};
}

}  // namespace

struct Partials::Entry {
    Partial partial;
    bool held = false;
    bool removed = false;
    std::function<void()> give_up;             // of who holds it
    std::vector<std::function<void()>> waiting;
};

Result<> Partials::load(std::int64_t now_ms) {
    ASSAY_TRY(const auto names, sys::list_directory(directory_));
    const std::lock_guard lock{mutex_};
    for (const std::string& name : names) {
        const std::string id = name.substr(0, name.find('.'));
        if (!is_id(id) || name != id + std::string{promise}) continue;
        if (auto entry = read_promise(id, now_ms)) entries_.emplace(id, std::move(entry).value());
        else log::warn("upload.part_unreadable", {{"upload", id}, {"error", entry.error().text()}});
    }
    for (const std::string& name : names) {
        const bool known = entries_.contains(name.substr(0, name.find('.'))) &&
                           (name.ends_with(promise) || name.ends_with(bytes_so_far));
        if (!known) (void)sys::remove_file(directory_ + "/" + name);
    }
    sweep(now_ms);
    return ok;
}

Result<std::shared_ptr<Partials::Entry>> Partials::read_promise(const std::string& id, std::int64_t now_ms) const {
    ASSAY_TRY(const std::string text, sys::read_file(path(id, promise), promise_bytes_max));
    ASSAY_TRY(auto found, from_json(text));
    auto& [partial, boot] = found;
    partial.id = id;
    partial.touched_ms = now_ms;
    partial.offset = partial.length;
    if (!partial.submission) {
        ASSAY_TRY(const sys::FileInfo info, sys::info_of_path(path(id, bytes_so_far)));
        partial.touched_ms = std::min(now_ms, info.modified_ns / 1'000'000);
        partial.offset = boot == boot_ ? info.size : 0;
        if (partial.offset > partial.length) return Error{Fault::invalid, "more bytes than were promised"};
        if (boot != boot_) ASSAY_CHECK(write_promise(partial));
    }
    auto entry = std::make_shared<Entry>();
    entry->partial = std::move(partial);
    return entry;
}

void Partials::remove_files(const std::string& id) const {
    for (const std::string_view suffix : {promise, unchecked, bytes_so_far}) (void)sys::remove_file(path(id, suffix));
}

void Partials::sweep(std::int64_t now_ms) {
    std::erase_if(entries_, [&](const auto& one) {
        Entry& entry = *one.second;
        if (entry.held || entry.partial.touched_ms + kept_ms > now_ms) return false;
        entry.removed = true;
        remove_files(one.first);
        return true;
    });
}

bool Partials::drop_oldest(const std::function<bool(const Entry&)>& of_these) {
    auto oldest = entries_.end();
    for (auto one = entries_.begin(); one != entries_.end(); ++one) {
        const Entry& entry = *one->second;
        if (entry.held || !of_these(entry)) continue;
        if (oldest == entries_.end() || entry.partial.touched_ms < oldest->second->partial.touched_ms) oldest = one;
    }
    if (oldest == entries_.end()) return false;
    oldest->second->removed = true;
    remove_files(oldest->first);
    entries_.erase(oldest);
    return true;
}

Result<> Partials::write_promise(const Partial& partial) const {
    return sys::write_file_durably(path(partial.id, promise), to_json(partial, boot_));
}

Result<Partial> Partials::create(Partial wanted, std::int64_t now_ms) {
    if (space_ != nullptr && space_->level() != Space::Level::ample) return Space::full();
    wanted.id = to_hex(bytes_of(sys::random_bytes(id_bytes)));
    wanted.first_byte_ms = wanted.touched_ms = now_ms;
    const auto entry = std::make_shared<Entry>();
    entry->partial = wanted;
    entry->held = true;  // Until its files are there.
    {
        const std::lock_guard lock{mutex_};
        sweep(now_ms);
        const auto own = [&](const Entry& entry) {
            const Partial& there = entry.partial;
            return there.course == wanted.course && there.module == wanted.module &&
                   there.participant == wanted.participant;
        };
        const auto is_own = [&](const auto& one) { return own(*one.second); };
        if (static_cast<std::size_t>(std::ranges::count_if(entries_, is_own)) >= own_max && !drop_oldest(own))
            return Error{Fault::busy, "this participant has as many uploads under way in this module as there may be"};
        // What is over is kept only for a client that has not heard of it.
        const auto over = [](const Entry& entry) { return entry.partial.submission.has_value(); };
        if (entries_.size() >= places_ && !drop_oldest(over))
            return Error{Fault::busy, "as many uploads in parts are kept as this server has room for"};
        entries_.emplace(wanted.id, entry);
    }
    const auto make = [&]() -> Result<> {
        ASSAY_TRY(const sys::Fd file, sys::create_exclusive(path(wanted.id, bytes_so_far)));
        return write_promise(wanted);  // Syncs the directory, so the other name is durable as well.
    };
    Result<> made = make();
    const std::lock_guard lock{mutex_};
    entry->held = false;
    if (made) return wanted;
    entries_.erase(wanted.id);
    remove_files(wanted.id);
    return made.take_error();
}

std::optional<Partial> Partials::find(const std::string& id, std::int64_t now_ms) const {
    const std::lock_guard lock{mutex_};
    const auto at = entries_.find(id);
    if (at == entries_.end() || at->second->partial.touched_ms + kept_ms <= now_ms) return std::nullopt;
    return at->second->partial;
}

Result<Partials::Hold> Partials::hold(const std::string& id, std::int64_t now_ms, std::function<void()> give_up,
                                      std::function<void()> freed) {
    const std::lock_guard lock{mutex_};
    const auto at = entries_.find(id);
    if (at == entries_.end() || at->second->partial.touched_ms + kept_ms <= now_ms)
        return Error{Fault::missing, "no such upload, or it has expired"};
    Entry& entry = *at->second;
    if (entry.held) {
        if (entry.give_up) entry.give_up();
        if (entry.waiting.size() < waiting_max) entry.waiting.push_back(std::move(freed));
        return Error{Fault::busy, "another request brings a part of this upload"};
    }
    entry.held = true;
    entry.give_up = std::move(give_up);
    return Hold{*this, at->second};
}

std::size_t Partials::count() const {
    const std::lock_guard lock{mutex_};
    return entries_.size();
}

Partials::Hold::~Hold() {
    if (!entry_) return;
    std::vector<std::function<void()>> waiting;
    {
        const std::lock_guard lock{all_->mutex_};
        entry_->held = false;
        entry_->give_up = {};
        waiting.swap(entry_->waiting);
    }
    for (const auto& call : waiting) call();
}

const Partial& Partials::Hold::partial() const { return entry_->partial; }

Result<> Partials::Hold::begin_part(bool checked) {
    checked_ = checked;
    arrived_ = 0;
    const std::string& id = entry_->partial.id;
    if (checked) ASSAY_CHECK(sys::remove_file(all_->path(id, unchecked)));
    ASSAY_TRY(file_, sys::open_append(all_->path(id, checked ? unchecked : bytes_so_far)));
    // What a part brought that never came to its end was told to nobody.
    if (!checked) ASSAY_CHECK(sys::cut_to(file_, entry_->partial.offset));
    return ok;
}

Result<> Partials::Hold::append(ByteView bytes) {
    ASSAY_ASSERT(arrived_ + std::ssize(bytes) <= entry_->partial.length - entry_->partial.offset);
    if (all_->space_ != nullptr && all_->space_->level() == Space::Level::spent) return Space::full();
    ASSAY_CHECK(sys::write_all(file_, bytes));
    arrived_ += std::ssize(bytes);
    return ok;
}

Result<> Partials::Hold::end_part(bool good, std::int64_t now_ms) {
    const std::string& id = entry_->partial.id;
    if (checked_) {
        const sys::Fd apart = std::exchange(file_, sys::Fd{});
        if (good) {
            const std::int64_t whole = std::exchange(arrived_, 0);
            ASSAY_CHECK(begin_part(false));
            ASSAY_TRY(const sys::Fd from, sys::open_read(all_->path(id, unchecked)));
            std::vector<std::byte> buffer(copy_bytes);
            while (arrived_ < whole) {
                ASSAY_TRY(const std::size_t count, sys::read_some(from, buffer));
                if (count == 0) return Error{Fault::disk_failed, "a part is shorter than it was written"};
                ASSAY_CHECK(append(ByteView{buffer}.first(count)));
            }
        }
        ASSAY_CHECK(sys::remove_file(all_->path(id, unchecked)));
        if (!good) return ok;
    }
    ASSAY_CHECK(sys::sync_data(file_));
    file_.reset();
    const std::lock_guard lock{all_->mutex_};
    entry_->partial.offset += arrived_;
    entry_->partial.touched_ms = now_ms;
    return ok;
}

Result<sys::Fd> Partials::Hold::open_to_read() const {
    return sys::open_read(all_->path(entry_->partial.id, bytes_so_far));
}

Result<> Partials::Hold::became(const SubmissionId& submission, std::int64_t now_ms) {
    Partial after = entry_->partial;
    after.submission = submission;
    after.touched_ms = now_ms;
    ASSAY_CHECK(all_->write_promise(after));
    (void)sys::remove_file(all_->path(after.id, bytes_so_far));
    const std::lock_guard lock{all_->mutex_};
    entry_->partial = std::move(after);
    return ok;
}

void Partials::Hold::remove() {
    const std::lock_guard lock{all_->mutex_};
    if (std::exchange(entry_->removed, true)) return;
    all_->remove_files(entry_->partial.id);
    all_->entries_.erase(entry_->partial.id);
}

}  // namespace assay::store
