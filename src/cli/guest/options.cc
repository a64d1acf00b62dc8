#include "cli/guest/options.hh"

#include <algorithm>
#include <charconv>

#include "base/text.hh"

namespace assay::cli {
namespace {

Result<std::int64_t> parse_count(std::string_view text) {
    std::int64_t value = -1;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure == std::errc{} && end == text.data() + text.size() && value >= 0 && value <= 1 << 30) return value;
    return Error{Fault::invalid, "'" + escaped(text, 40) + "' is not a number from 0 up"};
}

Error with_hint(std::string what) { return {Fault::invalid, std::move(what) + " (/assay/run --help says more)"}; }

}  // namespace

const std::string_view guest_help =
    R"(Runs a participant's program beside a trusted stage: untrusted, from the newest sealed /work.
Usage: /assay/run [OPTIONS] COMMAND...

Positionals:
  COMMAND TEXT ... REQUIRED   the program and its arguments, after --; never a shell

Options:
  -h,--help                   Print this help message and exit
  --cpu TIME                  CPU time of the whole process tree
  --wall TIME                 real time
  --memory SIZE               memory, scratch included; of all that run at once: the stage's
  --processes INT             tasks at once
  --output SIZE               stdout and stderr together
  --disk SIZE                 writable scratch
  --open-files INT            open files of one process
  --report FD                 a descriptor to write to what it did, as `assay run --json` prints it

Exit codes: the program's own, 128 + its signal, 124 a limit ended it, 125 refused. Limits are at most the stage's.
)";

Result<GuestOptions> guest_options(std::span<const char* const> words) {
    GuestOptions options;
    std::int64_t report = -1;
    struct Option {
        std::string_view name;
        Result<std::int64_t> (*parse)(std::string_view);
        std::int64_t* into;
        bool given = false;
    };
    Option known[] = {
        {"--cpu", parse_duration_ms, &options.limits.cpu_ms},        {"--wall", parse_duration_ms, &options.limits.wall_ms},
        {"--memory", parse_size, &options.limits.memory_bytes},      {"--processes", parse_count, &options.limits.processes},
        {"--output", parse_size, &options.limits.output_bytes},      {"--disk", parse_size, &options.limits.disk_bytes},
        {"--open-files", parse_count, &options.limits.open_files},   {"--report", parse_count, &report},
    };
    std::size_t at = 0;
    for (; at < words.size() && words[at][0] == '-'; ++at) {
        const std::string_view word{words[at]};
        if (word == "--") {
            ++at;
            break;
        }
        if (word == "-h" || word == "--help") {
            options.help = true;
            return options;
        }
        const std::size_t equals = word.find('=');
        const std::string_view name = word.substr(0, equals);
        Option* const option = std::ranges::find(known, name, &Option::name);
        if (option == std::end(known)) return with_hint("there is no option '" + escaped(name, 40) + "'");
        if (std::exchange(option->given, true)) return with_hint(std::string{name} + " is given twice");
        if (equals == word.npos && ++at == words.size()) return with_hint(std::string{name} + " lacks its value");
        Result<std::int64_t> value = option->parse(equals == word.npos ? std::string_view{words[at]} : word.substr(equals + 1));
        if (!value) return value.take_error().in(name);
        *option->into = *value;
    }
    options.report = static_cast<int>(report);
    options.command.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
    if (options.command.empty()) return with_hint("there is no command");
    return options;
}

}  // namespace assay::cli
