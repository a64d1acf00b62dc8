// Talk: what the commands of a participant share: what they say and to whom, whom they ask, and how they end.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "archive/archive.hh"
#include "participant/exit_code.hh"
#include "participant/commands.hh"
#include "client/server.hh"
#include "client/settings.hh"
#include "wording/command_line.hh"

namespace assay::participant {

// Of the environment; before any thread of ours.
std::optional<std::string> variable(const char* name);

// One line to stderr, behind "assay: ".
void say(std::string_view text);
// Text to stdout, with a newline at its end.
void print_line(std::string_view text);
// A sentence in the language of whoever sits here.
std::string told(wording::Told, std::initializer_list<std::string_view> arguments = {});

// Prints "assay: <error>" to stderr and returns its exit code.
ExitCode fail(const Error&);
// A refusal of the server or of what is before it. Its words are for a person; --json has the code.
ExitCode refused(const ParticipantOptions&, const client::Refused&);
// What failed without anybody refusing it; --json has the kind.
ExitCode failed(const ParticipantOptions&, const Error&);
// What a server would refuse, in the words it would use.
client::Refused refused_here(const archive::Refused&);
client::Refused refused_here(model::Refusal, std::string text);
// A wrong use of a command, or no way to whom it is about.
ExitCode misused(const Error&);

struct Asking {
    client::Settings settings;
    client::Url url;
    bool json = false;
};
Result<Asking> asking(const ParticipantOptions&);
using OnSilence = std::function<void(const client::Silence&)>;
// `token`: may be empty. Of a silence is told what there is to know, or what `on_silence` does of it.
client::Server server_at(const Asking&, const std::string& token, OnSilence on_silence = {});
// With the token that is kept for it.
Result<client::Server> server_for(const Asking&, OnSilence on_silence = {});
void tell(const client::Silence&, bool json);

// Ctrl-C ends at once, with the exit code that says so. Whatever was sent is one submission or none: the key says which. `last_words`
// are said by a thread of their own.
void end_when_interrupted(std::function<void()> last_words = {});

ExitCode watch_to_end(const ParticipantOptions&, const client::Server&, const std::string& id);

struct Sum {
    std::int64_t size = 0;
    std::string sha256;
};
// Reads on until `size_max` is passed, and no further.
Result<Sum> sum_of(const sys::Fd& file, std::int64_t size_max);

}  // namespace assay::participant
