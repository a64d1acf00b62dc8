#include "model/words.hh"

#include <algorithm>

namespace assay::model {
namespace {

template <class E>
struct Word {
    E value;
    std::string_view text;
};

// One table per enumeration; to_string, parse and all read it.
template <class E>
struct Words;

#define ASSAY_WORDS(E, ...)                                        \
    template <>                                                    \
    struct Words<E> {                                              \
        using enum E;                                              \
        static constexpr Word<E> table[] = {__VA_ARGS__};          \
    };
#define W(name) {name, #name}

ASSAY_WORDS(State, W(queued), W(running), W(graded), W(held), W(cancelled), W(superseded))
ASSAY_WORDS(Verdict, W(system_fault), W(grader_fault), W(memory_limit), W(time_limit), W(wall_limit), W(output_limit), W(io_limit),
            W(forbidden), W(crashed), W(process_limit), W(disk_limit), W(build_failed), W(failed), W(passed))
ASSAY_WORDS(Reason, W(slot), W(fair_share), W(pressure), W(disk_reserve), W(image), W(runner_lost), W(retry), W(held_by_staff),
            W(module_paused), W(grader_broken), W(submissions_used), W(resources), W(no_runner), W(drain))
ASSAY_WORDS(Refusal, W(method), W(missing_field), W(bad_token), W(wrong_course), W(unknown_course), W(unknown_module), W(not_open),
            W(closed), W(too_large), W(empty), W(not_an_archive), W(format), W(damaged), W(unsafe), W(too_many_entries),
            W(unpacks_too_large), W(required_missing), W(digest_mismatch), W(rate), W(busy), W(disk_full), W(shutting_down), W(internal))
ASSAY_WORDS(WaitDetailKind, W(slots_busy), W(lone_job), W(about_to_start), W(others_first), W(far_back), W(own_running),
            W(own_first), W(live_first), W(memory_short), W(memory_promised), W(disk_slow), W(ended_for_memory), W(disk_low), W(disk_names_low), W(scratch_short), W(store_read_only), W(cut_backoff),
            W(cut_alone), W(fault), W(session_ended), W(no_heartbeat), W(runner_ended), W(helper_ended), W(not_root), W(host_lacks),
            W(runner_not_started), W(none_connected), W(no_slots))
ASSAY_WORDS(DifferenceKind, W(character), W(word), W(newline_missing), W(newline_extra), W(exit_code),
            W(number), W(pattern), W(file_missing))
ASSAY_WORDS(Visibility, W(visible), W(after_due), W(hidden))
ASSAY_WORDS(Compare, W(exact), W(whitespace), W(lines), {float_, "float"}, W(regex), W(checker))
ASSAY_WORDS(ReportFormat, W(results), W(junit), W(tap), W(autolab), W(exit))
ASSAY_WORDS(Symlinks, W(inside), W(refuse))
ASSAY_WORDS(NameEncoding, {utf_8, "utf-8"}, W(gb18030))
ASSAY_WORDS(Counts, W(last), W(best), W(last_on_time))
ASSAY_WORDS(Guarantee, W(exact), W(approximate), W(none))
ASSAY_WORDS(Scratch, W(memory), W(disk))
ASSAY_WORDS(AttemptEnd, W(verdict), W(fault), W(cut))
ASSAY_WORDS(KeyUse, W(receipt), W(commitment))

#undef W
#undef ASSAY_WORDS

// The tables list every value in declaration order, so a value is its own index.
template <class E>
std::string_view text_of_word(E value) {
    const auto& entry = Words<E>::table[static_cast<std::size_t>(value)];
    return entry.text;
}

template <class E>
constexpr bool in_order() {
    std::size_t i = 0;
    for (const auto& entry : Words<E>::table) {
        if (static_cast<std::size_t>(entry.value) != i++) return false;
    }
    return true;
}
static_assert(in_order<State>() && in_order<Verdict>() && in_order<Reason>() && in_order<Refusal>());
static_assert(in_order<ReportFormat>() && in_order<Symlinks>() && in_order<NameEncoding>());
static_assert(in_order<WaitDetailKind>() && in_order<DifferenceKind>());
static_assert(in_order<Visibility>() && in_order<Compare>() && in_order<Counts>() && in_order<Guarantee>() &&
              in_order<Scratch>() && in_order<AttemptEnd>() && in_order<KeyUse>());

}  // namespace

template <class E>
std::optional<E> parse(std::string_view text) {
    const auto* const entry = std::ranges::find(Words<E>::table, text, &Word<E>::text);
    if (entry == std::end(Words<E>::table)) return std::nullopt;
    return entry->value;
}

template <class E>
std::span<const E> all() {
    static const auto values = [] {
        std::array<E, std::size(Words<E>::table)> list{};
        std::ranges::transform(Words<E>::table, list.begin(), &Word<E>::value);
        return list;
    }();
    return values;
}

#define ASSAY_INSTANTIATE(E)                                     \
    std::string_view to_string(E value) { return text_of_word(value); } \
    template std::optional<E> parse<E>(std::string_view);        \
    template std::span<const E> all<E>();

ASSAY_INSTANTIATE(State)
ASSAY_INSTANTIATE(Verdict)
ASSAY_INSTANTIATE(Reason)
ASSAY_INSTANTIATE(Refusal)
ASSAY_INSTANTIATE(WaitDetailKind)
ASSAY_INSTANTIATE(DifferenceKind)
ASSAY_INSTANTIATE(Visibility)
ASSAY_INSTANTIATE(Compare)
ASSAY_INSTANTIATE(ReportFormat)
ASSAY_INSTANTIATE(Symlinks)
ASSAY_INSTANTIATE(NameEncoding)
ASSAY_INSTANTIATE(Counts)
ASSAY_INSTANTIATE(Guarantee)
ASSAY_INSTANTIATE(Scratch)
ASSAY_INSTANTIATE(AttemptEnd)
ASSAY_INSTANTIATE(KeyUse)
#undef ASSAY_INSTANTIATE

int http_status(Refusal refusal) {
    switch (refusal) {
        case Refusal::method: return 405;
        case Refusal::missing_field: return 400;
        case Refusal::bad_token: return 401;
        case Refusal::wrong_course: case Refusal::not_open: case Refusal::closed: return 403;
        case Refusal::unknown_course: case Refusal::unknown_module: return 404;
        case Refusal::too_large: return 413;
        case Refusal::empty: case Refusal::not_an_archive: case Refusal::format: case Refusal::damaged: case Refusal::unsafe:
        case Refusal::too_many_entries: case Refusal::unpacks_too_large: case Refusal::required_missing:
        case Refusal::digest_mismatch:
            return 422;
        case Refusal::rate: return 429;
        case Refusal::busy: case Refusal::shutting_down: return 503;
        case Refusal::disk_full: return 507;
        case Refusal::internal: return 500;
    }
    return 500;
}

}  // namespace assay::model
