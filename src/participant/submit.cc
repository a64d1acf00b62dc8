// assay submit: says what goes and what stays, sends it, and prints the receipt.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.hh"
#include "participant/commands.hh"
#include "participant/hand_in.hh"
#include "participant/language.hh"
#include "participant/progress.hh"
#include "participant/talk.hh"
#include "client/begun.hh"
#include "sys/clock.hh"
#include "sys/file.hh"
#include "sys/program.hh"
#include "sys/random.hh"
#include "wording/duration.hh"

namespace assay::participant {
namespace {

using wording::Told;

constexpr std::string_view key_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t key_size = 32;

// Refused or failed before anything was sent: then nothing counts, and that is said.
ExitCode not_counted(ExitCode code) {
    say(told(Told::not_counted));
    return code;
}

// An upload on its way, to a person and to a program: how far it is, what it waits for, and that it goes on. A silence is told from
// another thread, but never beside anything else (client::Quiet).
class Journey {
public:
    explicit Journey(bool json) : json_{json} {}

    // From here on bytes move.
    void begin(std::int64_t whole) {
        progress_.emplace(whole, Progress::of_sending);
        whole_ = whole;
    }
    // Whether another `submit` could go on with it.
    void remembered(bool it) { *remembered_ = it; }
    bool is_remembered() const { return *remembered_; }
    // When it is ended from outside, by yet another thread, and perhaps when this is gone.
    std::function<void()> last_words() const {
        return [remembered = remembered_] {
            if (*remembered) say(told(Told::goes_on_again));
        };
    }
    Progress& progress() { return *progress_; }
    void silent(const client::Silence& it) {
        if (trying_again_) return;  // It is known that nothing moves.
        if (progress_) progress_->end();
        tell(it, json_);
        if (*remembered_) say(told(Told::silent_upload));
    }
    void waits(const client::Pause& it) {
        progress_->end();
        trying_again_ = true;
        arrived_ = it.arrived;
        if (json_) event("retry", {{"left_s", it.patience.count()}, {"why", it.why}});
        say(told(Told::waits, {it.why, wording::duration(language(), sys::ms_of(it.patience))}));
    }
    void goes_on(std::int64_t arrived) {
        trying_again_ = false;
        arrived_ = arrived;
        if (json_) event("over", nlohmann::ordered_json::object());
        say(told(Told::answers_again, {size_text(arrived), size_text(whole_)}));
    }
    // It ended without a receipt, and can be gone on with.
    void stays_begun() const {
        if (trying_again_) say(told(Told::arrived, {size_text(arrived_), size_text(whole_)}));
        say(told(Told::goes_on_again));
    }

private:
    void event(std::string_view what, const nlohmann::ordered_json& more) const {
        nlohmann::ordered_json json{{"type", "assay-wait/1"}, {"for", what}, {"arrived", arrived_}, {"size", whole_}};
        json.update(more);
        print_line(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }

    const bool json_;
    std::optional<Progress> progress_;
    std::int64_t whole_ = 0;
    std::int64_t arrived_ = 0;
    const std::shared_ptr<std::atomic<bool>> remembered_ = std::make_shared<std::atomic<bool>>(false);
    bool trying_again_ = false;
};

// Never in the way of the upload: who cannot announce it goes on as if there were no such thing. An older server has none.
void announce(const client::Server& server, const client::Upload& upload) {
    const auto answer = server.commit(upload);
    if (answer && *answer) return say(told(Told::committed, {escaped((*answer)->at), escaped((*answer)->until)}));
    if (answer && answer->error().status == 404) return;
    say(told(Told::not_committed, {escaped(answer ? answer->error().text : answer.error().text(), 1000)}));
}

// Something before the server took offence at a body of this size, or the way broke under it.
bool worth_parts(const client::Answered<client::Receipt>& sent, bool began) {
    if (!sent) return began && (sent.error().fault() == Fault::unreachable || sent.error().fault() == Fault::timed_out);
    return !*sent && sent->error().parts_may_pass;
}

// What breaks, or is killed, must cost no more than a part: only what is no larger than one goes at once.
client::Answered<client::Receipt> send(const client::Server& server, const client::Upload& upload, const client::Begun& begun, Progress& progress) {
    if (!begun.address.empty()) say(told(Told::goes_on));
    if (!begun.address.empty() || upload.size > client::part_bytes) {
        auto sent = server.submit_in_parts(upload, begun);
        if (!sent || *sent || !sent->error().no_parts) return sent;
    }
    auto sent = server.submit(upload);
    if (!worth_parts(sent, progress.began())) return sent;
    progress.end();
    say(escaped(sent ? sent->error().text : sent.error().text()));
    say(told(Told::in_parts));
    return server.submit_in_parts(upload, {.address = {}, .keep = begun.keep});
}

bool inside(const std::string& file, const std::string& folder) {
    std::error_code failure;
    const auto outer = std::filesystem::canonical(folder, failure);
    if (failure) return false;
    const auto inner = std::filesystem::weakly_canonical(std::filesystem::absolute(file), failure);
    if (failure || !std::filesystem::is_directory(outer)) return false;
    return std::ranges::mismatch(outer, inner).in1 == outer.end();
}

}  // namespace

ExitCode submit_command(const ParticipantOptions& options, const SubmitOptions& submit) {
    const auto asked = asking(options);
    if (!asked) return not_counted(misused(asked.error()));
    const auto& course = asked->settings.course;
    const auto& module = asked->settings.module;
    if (!course || !module) return not_counted(misused({Fault::missing, told(Told::no_module)}));
    if (!submit.receipt_file.empty() && inside(submit.receipt_file, submit.path)) {
        return not_counted(misused({Fault::invalid, told(Told::in_the_folder, {escaped(submit.receipt_file)})}));
    }
    if (std::error_code failure; !std::filesystem::exists(submit.path, failure) && !failure)
        return not_counted(failed(options, {Fault::missing, told(Told::nothing_there, {escaped(submit.path, 1000)})}));
    Journey journey{options.json};
    const auto on_silence = [&](const client::Silence& it) { journey.silent(it); };
    // The limits are nobody's secret, and a list can be looked at before there is a token.
    const auto server =
        submit.dry_run ? Result<client::Server>{server_at(*asked, "", on_silence)} : server_for(*asked, on_silence);
    if (!server) return not_counted(failed(options, server.error()));
    end_when_interrupted(journey.last_words());

    auto limits = server->limits(*course, *module);
    if (!limits) return not_counted(failed(options, limits.error()));
    if (!*limits) {
        // Which one was asked for may stand in a file of long ago.
        client::Refused& why = limits->error();
        why.text = *course + "/" + *module + ": " + why.text;
        return not_counted(refused(options, why));
    }
    auto prepared = prepare(submit.path, **limits, submit.use_ignore_files);
    if (!prepared) return not_counted(failed(options, prepared.take_error().in(submit.path)));
    if (!*prepared) return not_counted(refused(options, prepared->error()));
    const HandIn& it = **prepared;

    const Target target{asked->url.text(), *course, *module};
    if (options.json) print_line(json_of(it, target, **limits, submit.dry_run));
    else sys::print(submit.dry_run ? stdout : stderr, shown(it, target, **limits, submit.verbose));
    if (submit.dry_run) {
        say(told(Told::nothing_sent));
        return ExitCode::done;
    }

    const std::string key = submit.key.empty() ? sys::random_text(key_size, key_alphabet) : submit.key;
    const client::BegunUpload before{variable, target.server, *course, *module, it.sum.sha256};
    journey.begin(it.sum.size);
    const client::Begun begun{.address = before.address(), .keep = [&](const std::string& address) {
                                  before.keep(address);
                                  journey.remembered(!before.address().empty());
                              }};
    journey.remembered(!begun.address.empty());
    Progress& progress = journey.progress();
    const client::Upload upload{.course = *course,
                                .module = *module,
                                .file = &it.file,
                                .size = it.sum.size,
                                .sha256 = it.sum.sha256,
                                .key = key,
                                .progress = [&](std::int64_t bytes) { progress.at(bytes); },
                                .waits = [&](const client::Pause& why) { journey.waits(why); },
                                .goes_on = [&](std::int64_t arrived) { journey.goes_on(arrived); }};
    if (client::worth_committing(**limits)) announce(*server, upload);
    const client::Answered<client::Receipt> sent = send(*server, upload, begun, progress);
    const bool began = progress.began();
    progress.end();
    const bool remembered = journey.is_remembered();
    if (!sent) {
        const ExitCode code = failed(options, sent.error());
        if (remembered) journey.stays_begun();
        else say(began ? told(Told::perhaps_arrived, {escaped(key)}) : told(Told::not_counted));
        return code;
    }
    if (!*sent) {
        if (remembered) {
            const ExitCode code = refused(options, sent->error());
            journey.stays_begun();
            return code;
        }
        const ExitCode code = refused(options, sent->error());
        return code == ExitCode::failed && !sent->error().code.empty() ? not_counted(code) : code;
    }
    const client::Receipt& receipt = **sent;
    if (!submit.receipt_file.empty()) {
        if (auto kept = sys::write_file_durably(submit.receipt_file, receipt.document); !kept)
            say(told(Told::receipt_not_kept, {escaped(kept.error().text(), 1000)}));
    }
    if (options.json) print_line(receipt.document);
    else
        print_line(told(receipt.again ? Told::received_before : Told::received,
                        {receipt.received.id, escaped(receipt.received.at)}));
    // Only now: whoever is killed before gets the receipt the next time, and sends nothing again.
    if (remembered) begun.keep("");
    return submit.watch ? watch_to_end(options, *server, receipt.received.id) : ExitCode::done;
}

}  // namespace assay::participant
