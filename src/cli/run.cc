// assay run: one command in the sandbox, without a server. Other programs build on its JSON.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include "archive/archive.hh"
#include "base/text.hh"
#include "cli/commands.hh"
#include "cli/outcome_json.hh"
#include "grade/grade.hh"
#include "image/image.hh"
#include "model/image.hh"
#include "model/words.hh"
#include "sandbox/helper.hh"
#include "sandbox/rootless.hh"
#include "sandbox/sandbox.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/random.hh"
#include "sys/socket.hh"

namespace assay::cli {
namespace {

constexpr std::chrono::seconds helper_end_max{10};

struct Prepared {
    sandbox::Request request;
    std::vector<sys::Fd> held;  // what the request's numbers point at
    std::string image;          // digest; empty: the host's own folders
};

Result<sandbox::Bind> parse_bind(const std::string& text, std::vector<sys::Fd>& held) {
    const auto parts = split(text, ':');
    const bool writable = parts.size() == 3 && parts[2] == "rw";
    if ((parts.size() != 2 && !writable) || parts[0].empty() || !parts[1].starts_with('/')) {
        return Error{Fault::invalid, fmt::format("--bind: '{}' is not HOST:INSIDE or HOST:INSIDE:rw with an absolute INSIDE", escaped(text))};
    }
    auto directory = sys::open_directory(std::string{parts[0]});
    if (!directory) return directory.take_error().in("--bind");
    held.push_back(std::move(directory).value());
    return sandbox::Bind{.directory = held.back().get(), .inside = std::string{parts[1]}, .writable = writable};
}

Result<std::int64_t> named(const char* flag, Result<std::int64_t> value) {
    if (!value) return value.take_error().in(flag);
    return value;
}

Result<model::Limits> limits_of(const RunOptions& options) {
    model::Limits limits;
    ASSAY_TRY(limits.cpu_ms, named("--cpu", parse_duration_ms(options.cpu)));
    ASSAY_TRY(limits.wall_ms, named("--wall", parse_duration_ms(options.wall)));
    ASSAY_TRY(limits.memory_bytes, named("--memory", parse_size(options.memory)));
    ASSAY_TRY(limits.output_bytes, named("--output", parse_size(options.output)));
    limits.disk_bytes = limits.memory_bytes / 4;
    if (!options.disk.empty()) {
        ASSAY_TRY(limits.disk_bytes, named("--disk", parse_size(options.disk)));
    }
    if (!options.io.empty()) {
        ASSAY_TRY(limits.io_bytes, named("--io", parse_size(options.io)));
        if (limits.io_bytes < 1) return Error{Fault::invalid, "--io must be at least 1 byte; leave it out for no bound"};
    }
    limits.processes = options.processes;
    limits.open_files = options.open_files;
    limits.cores = options.cores;
    if (const int pace = options.disk_read_mib_per_s; !sandbox::DiskPace::is_pace(pace, sandbox::DiskPace::mib_per_s_least)) {
        return Error{Fault::invalid, fmt::format("--disk-read-mib-per-s: '{}' is neither 0 (as fast as the disk can) nor a number from {} to {}", pace,
                                                 sandbox::DiskPace::mib_per_s_least, sandbox::DiskPace::most)};
    }
    if (limits.cpu_ms < 1 || limits.wall_ms < 1) return Error{Fault::invalid, "--cpu and --wall must be at least 1ms"};
    return limits;
}

Result<Prepared> prepare(const RunOptions& options) {
    Prepared prepared;
    std::vector<std::string> of_image;
    if (options.image != model::host_image) {
        auto image = image::Library{options.data + "/images"}.find(options.image);
        if (!image) return image.take_error().in("--image");
        prepared.image = image->info.digest;
        of_image = std::move(image->info.environment);
    }
    sandbox::Request& request = prepared.request;
    request.stage = "run";
    request.command = options.command;
    request.environment = model::environment_in(of_image, {"HOME=/work", "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC", "USER=student"});
    for (const std::string& variable : options.environment) {
        const auto equals = variable.find('=');
        if (equals == 0 || equals == std::string::npos) return Error{Fault::invalid, fmt::format("--env: '{}' is not K=V", escaped(variable))};
        std::erase_if(request.environment, [&](const std::string& old) { return old.starts_with(variable.substr(0, equals + 1)); });
        request.environment.push_back(variable);
    }
    ASSAY_TRY(request.limits, limits_of(options));
    request.scratch = *model::parse<model::Scratch>(options.scratch);
    request.profile = options.profile == "compiled" ? sandbox::Profile::compiled : sandbox::Profile::language;
    request.network = options.network == "host" ? sandbox::Network::host : sandbox::Network::none;
    request.directory = options.directory;
    request.output_kept_max = static_cast<std::size_t>(request.limits.output_bytes);
    if (!options.stdin_path.empty()) {  // A wrong one is told before anything starts.
        if (auto input = sys::open_read(options.stdin_path); !input) return input.take_error().in("--stdin");
    }
    for (const std::string& text : options.binds) {
        ASSAY_TRY(const sandbox::Bind bind, parse_bind(text, prepared.held));
        request.binds.push_back(bind);
    }
    return prepared;
}

// Which of its limits hold less than exactly on this host. `io`: whether one was asked for.
std::string inexact(const model::Guarantees& sure, bool io) {
    using model::Guarantee;
    const std::pair<const char*, Guarantee> all[] = {
        {"cpu", sure.cpu},       {"wall", sure.wall}, {"memory", sure.memory}, {"processes", sure.processes},
        {"output", sure.output}, {"disk", sure.disk}, {"io", io ? sure.io : Guarantee::exact}};
    std::string text;
    for (const auto& [name, guarantee] : all) {
        if (guarantee != Guarantee::exact)
            text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", name, guarantee == Guarantee::none ? "not at all" : "approximately");
    }
    return text;
}

void print_summary(const model::Outcome& outcome, model::Verdict verdict, bool io) {
    std::string how = outcome.signal ? fmt::format("signal {}", *outcome.signal)
                                     : fmt::format("exit code {}", outcome.exit_code.value_or(-1));
    fmt::print(stderr, "assay: {}, {}, cpu {:.1f} ms, wall {:.1f} ms, memory {}\n", model::to_string(verdict), how, outcome.cpu_ms(),
               outcome.wall_ms, size_text(outcome.memory_peak_bytes));
    if (const model::Usage usage = grade::usage_of(outcome); usage.memory_stalled_ms)
        fmt::print(stderr,
                   "assay: for {:.1f} ms of that it waited for memory: at its limit, what it needs is thrown out and "
                   "read in again and again\n",
                   *usage.memory_stalled_ms);
    if (const std::string text = inexact(outcome.guarantees, io); !text.empty())
        fmt::print(stderr, "assay: limits that do not hold exactly on this host: {}; assay check says why\n", text);
}

// Tells of each run as it ends, and of several what they have together.
class Reports {
public:
    Reports(const RunOptions& options, const model::Limits& limits, bool writable_bind)
        : options_{options}, limits_{limits}, writable_bind_{writable_bind} {}

    void tell(const model::Outcome& outcome) {
        const model::Verdict verdict = grade::verdict_of(outcome, false, false);
        ++verdicts_[verdict];
        cpu_ms_.push_back(outcome.cpu_ms());
        wall_ms_.push_back(outcome.wall_ms);
        if (options_.json) {
            fmt::print("{}\n", outcome_json(outcome, verdict, writable_bind_));
            std::fflush(stdout);  // Each as it ends.
        } else {
            const std::string out = outcome.output.text();
            const std::string errors = outcome.errors.text();
            std::fwrite(out.data(), 1, out.size(), stdout);
            std::fflush(stdout);  // Where both go to one place, this was first.
            std::fwrite(errors.data(), 1, errors.size(), stderr);
            print_summary(outcome, verdict, limits_.io_bytes > 0);
        }
    }

    void tell_together() {
        if (options_.json || wall_ms_.size() < 2) return;
        std::string counts;
        for (const auto& [verdict, count] : verdicts_)
            counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", model::to_string(verdict), count);
        fmt::print(stderr, "assay: {} runs: {}; cpu {}, wall {} (median, least to most)\n", wall_ms_.size(), counts,
                   spread(cpu_ms_), spread(wall_ms_));
    }

    bool all_passed() const { return verdicts_.size() == 1 && verdicts_.contains(model::Verdict::passed); }

private:
    static std::string spread(std::vector<double>& values_ms) {
        std::ranges::sort(values_ms);
        return fmt::format("{:.1f} ms, {:.1f} to {:.1f}", values_ms[values_ms.size() / 2], values_ms.front(),
                           values_ms.back());
    }

    const RunOptions& options_;
    const model::Limits& limits_;
    bool writable_bind_;
    std::map<model::Verdict, int> verdicts_;
    std::vector<double> cpu_ms_, wall_ms_;
};

// Each run is a job of its own: nothing of one is there for the next. Ctrl-C ends the command, not us: what was until then is still told.
// Errors: those of the sandbox; interrupted.
Result<> run_all(Prepared& prepared, const RunOptions& options, std::atomic<bool>& stop, Reports& reports) {
    sandbox::Request& request = prepared.request;
    const std::string id = to_hex(bytes_of(sys::random_bytes(8)));
    ASSAY_TRY(sandbox::Helper helper,
              sandbox::start_helper({
                  .directory_id = id,
                  .first_uid = sandbox::first_uid_for(id),
                  .fill = archive::fill_main,
                  .allow_binds = true,
                  .disk_reads = {.mib_per_s = options.disk_read_mib_per_s},
                  .disk_scratch = own_disk_scratch(options.data),
                  .data = prepared.image.empty() ? "" : std::filesystem::absolute(options.data).string(),
              }));
    ASSAY_TRY(auto wake, sys::make_pipe());
    ASSAY_TRY(const sys::Fd signals, sys::signal_descriptor({SIGINT, SIGTERM}));  // After the fork: the helper has its own way.
    ASSAY_TRY(sys::Fd signals_copy, sys::duplicate(signals));
    std::thread{[&stop, fd = std::move(signals_copy), end = std::move(wake.second)] {
        if (!sys::next_signal(fd)) return;
        stop = true;
        (void)sys::write_all(end, std::string_view{"!"});
    }}.detach();
    const Result<> done = [&]() -> Result<> {
        ASSAY_TRY(sys::Fd socket, sandbox::connect_client(helper));
        sandbox::Client client{std::move(socket)};
        // Any slot: the helper serves this command alone, and --cores picks CPUs by slot.
        const int slot = static_cast<unsigned char>(sys::random_bytes(1).front()) % sandbox::slots_max;
        for (int run = 0; run < options.repeat; ++run) {
            sys::Fd input;
            if (!options.stdin_path.empty()) {  // Opened each time, since reading moves on in what is open.
                ASSAY_TRY(input, sys::open_read(options.stdin_path));
                request.stdin_fd = input.get();
            }
            ASSAY_TRY(sandbox::Job job, client.open_job(slot, request.limits.memory_bytes, prepared.image));
            ASSAY_TRY(const sandbox::Finished finished, job.run(request, &stop, wake.first.get()));
            if (finished.outcome.cancelled) return Error{Fault::interrupted, "interrupted; the command was killed"};
            reports.tell(finished.outcome);
        }
        return ok;
    }();
    sandbox::stop_helper(std::move(helper), sys::system_clock().now() + helper_end_max);
    return done;
}

}  // namespace

sandbox::DiskScratchRules own_disk_scratch(const std::string& data) {
    constexpr int mib_max = 4 << 20;  // The disk is what bounds it.
    if (!data.empty() && sys::open_directory(data))
        return {.folder = std::filesystem::absolute(data).string(), .mib_max = mib_max};
    const char* const folder = std::getenv("TMPDIR");
    const bool named = folder != nullptr && *folder != '\0';
    return {.folder = std::filesystem::absolute(named ? folder : "/var/tmp").string(), .mib_max = mib_max};
}

ExitCode run_command(const RunOptions& options) {
    if (sys::effective_uid() != 0) {
        if (options.network == "host") return fail({Fault::unsupported, "--network host needs root: the host's network is not a user's to give away"});
        return fail(sandbox::become_own_root().in("assay run without root"));
    }
    auto prepared = prepare(options);
    if (!prepared) {
        (void)fail(prepared.error());
        return ExitCode::misused;
    }
    sys::ignore_broken_pipes();
    static std::atomic<bool> stop{false};  // The signal thread may outlive this function.
    Reports reports{options, prepared->request.limits,
                    std::ranges::any_of(prepared->request.binds, &sandbox::Bind::writable)};
    const Result<> done = run_all(*prepared, options, stop, reports);
    reports.tell_together();
    if (done) return reports.all_passed() ? ExitCode::done : ExitCode::failed;
    const bool ours =
        done.error().fault() != Fault::invalid;  // A limit outside its range is found where it would be used.
    const ExitCode failed = fail(done.error());
    return ours ? failed : ExitCode::misused;
}

}  // namespace assay::cli
