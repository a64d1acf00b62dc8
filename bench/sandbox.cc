// What a sandbox costs, for bench/sandbox.py: PART [ROUNDS] [NAME EVERY COMMAND]…. Prints one line per series: its name and its values.
//
//   latency   /bin/true in turns by vfork+exec, as a command of an open job, in a job of its own, and by each peer's COMMAND (words
//             without spaces) every EVERYth round; ms from the request to the answer
//   rate      /bin/true two at a time for a second each, in turns: vfork+exec, commands of open jobs, these with a network namespace each, and jobs of their own; runs per second
//   limits    by how much the CPU limit is passed with one and with four busy threads; ms from asking for the end of a fork bomb and of
//             1 GB of memory to the answer that all is gone; and the same bomb in no sandbox, in groups of that size that are killed and empty
//   guests    /bin/true by /assay/run in a trusted command, and as a command of an open job before and after; ms
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/text.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/helper.hh"
#include "sandbox/process.hh"
#include "sandbox/sandbox.hh"
#include "sys/file.hh"
#include "sys/random.hh"

extern char** environ;

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;
using Series = std::vector<double>;

// Between two measured runs: what the one before left to do is done then, and measured by `rate`, not here.
constexpr auto breath = 60ms;
constexpr auto bomb_grows = 500ms;
constexpr int slots = 2;

// What a participant would write: a program of C alone (bench/bomb.cc), inside.
constexpr auto bomb = "/mnt/bench_bomb";

[[noreturn]] void broken(std::string_view what) {
    fmt::print(stderr, "bench_sandbox: {}\n", what);
    std::_Exit(1);
}

template <class T>
T must(Result<T> result) {
    if (!result) broken(result.error().text());
    return std::move(result).value();
}

void print(std::string_view name, const Series& values) {
    fmt::print("{}", name);
    for (const double value : values) fmt::print(" {:.4f}", value);
    fmt::print("\n");
}

double ms_of(const std::function<void()>& what) {
    const sys::TimePoint begin = sys::system_clock().now();
    what();
    return sys::ms_of(sys::system_clock().now() - begin);
}

void spawn(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t pid = 0;
    int status = 0;
    if (::posix_spawnp(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0 || ::waitpid(pid, &status, 0) != pid || status != 0) {
        broken(command.front() + " failed");
    }
}

Request true_request() {
    Request request;
    request.stage = "bench";
    request.command = {"/bin/true"};
    request.environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
    return request;
}

void run_true(Job& job) {
    const Finished done = must(job.run(true_request()));
    if (done.outcome.exit_code != 0) broken("/bin/true did not end with 0");
}

struct Server {
    explicit Server(bool network_each = false)
        : id{sys::random_text(16, "0123456789abcdef")}, helper{must(start_helper({.directory_id = id, .first_uid = first_uid_for(id), .allow_binds = true, .network_each = network_each}))} {}
    ~Server() { stop_helper(std::move(helper), sys::system_clock().now() + 40s); }
    Client client() const { return Client{must(connect_client(helper))}; }
    std::string id;
    Helper helper;
};

struct Peer {
    std::string name;
    int every = 1;
    std::vector<std::string> command;
};

void latency(const Server& server, int rounds, const std::vector<Peer>& peers) {
    Client client = server.client();
    Job job = must(client.open_job(0, 512LL << 20));
    Series floor, open, own;
    std::vector<Series> others(peers.size());
    const auto measure = [](Series& series, const std::function<void()>& what) {
        std::this_thread::sleep_for(breath);
        series.push_back(ms_of(what));
    };
    run_true(job);
    for (int round = 0; round < rounds; ++round) {
        measure(floor, [] { spawn({"/bin/true"}); });
        measure(open, [&] { run_true(job); });
        measure(own, [&] {
            Job fresh = must(client.open_job(1, 512LL << 20));
            run_true(fresh);
        });
        for (std::size_t i = 0; i < peers.size(); ++i) {
            if (round % peers[i].every == 0) measure(others[i], [&] { spawn(peers[i].command); });
        }
    }
    print("floor", floor);
    print("open", open);
    print("own", own);
    for (std::size_t i = 0; i < peers.size(); ++i) print(peers[i].name, others[i]);
}

// Runs per second of `slots` threads, each of which does `one` again and again for a second.
double rate_of(const std::function<void(int)>& one) {
    std::atomic<int> runs = 0;
    const sys::TimePoint begin = sys::system_clock().now();
    {
        std::vector<std::jthread> threads;
        for (int slot = 0; slot < slots; ++slot) {
            threads.emplace_back([&, slot] {
                while (sys::system_clock().now() - begin < 1s) {
                    one(slot);
                    ++runs;
                }
            });
        }
    }
    return runs / (sys::ms_of(sys::system_clock().now() - begin) / 1000);
}

void rate(const Server& server, int rounds) {
    const Server apart{true};
    std::vector<Client> clients, apart_clients;
    for (int slot = 0; slot < slots; ++slot) {
        clients.push_back(server.client());
        apart_clients.push_back(apart.client());
    }
    const auto open_job = [](std::vector<Client>& of, int slot) { return must(of[static_cast<std::size_t>(slot)].open_job(slot, 512LL << 20)); };
    const auto of_open_jobs = [&](std::vector<Client>& of) {
        std::vector<Job> jobs;
        for (int slot = 0; slot < slots; ++slot) jobs.push_back(open_job(of, slot));
        return rate_of([&](int slot) { run_true(jobs[static_cast<std::size_t>(slot)]); });
    };
    const auto of_own_jobs = [&](std::vector<Client>& of) {
        return rate_of([&](int slot) {
            Job job = open_job(of, slot);
            run_true(job);
        });
    };
    Series floor, open, open_apart, own, own_apart;
    for (int round = 0; round < rounds; ++round) {
        floor.push_back(rate_of([](int) { spawn({"/bin/true"}); }));
        open.push_back(of_open_jobs(clients));
        open_apart.push_back(of_open_jobs(apart_clients));
        own.push_back(of_own_jobs(clients));
        own_apart.push_back(of_own_jobs(apart_clients));
    }
    print("floor", floor);
    print("open", open);
    print("apart", open_apart);
    print("own", own);
    print("own_apart", own_apart);
}

// How long it takes from asking for the end of `command`, which has grown meanwhile, to the answer that all is gone.
double ending_of(Job& job, std::vector<std::string> command, const model::Limits& limits) {
    Request request = true_request();
    request.command = std::move(command);
    request.limits = limits;
    const std::string here = must(sys::link_target("/proc/self/exe"));
    const sys::Fd folder = must(sys::open_directory(here.substr(0, here.rfind('/'))));
    request.binds.push_back({.directory = folder.get(), .inside = "/mnt"});
    std::atomic<bool> stop = false;
    auto wake = must(sys::make_pipe());
    std::future<sys::TimePoint> ended = std::async(std::launch::async, [&] {
        if (!must(job.run(request, &stop, wake.first.get())).outcome.cancelled) broken("what was to be ended has ended before");
        return sys::system_clock().now();
    });
    std::this_thread::sleep_for(bomb_grows);
    const sys::TimePoint asked = sys::system_clock().now();
    stop = true;
    wake.second.reset();
    return sys::ms_of(ended.get() - asked);
}

// What the kernel alone takes: the same bomb in no sandbox, in groups of that size. Nothing where this host has no group that kills.
std::optional<double> ending_of_bare_bomb(const std::string& program, std::int64_t processes) {
    const std::vector<Hierarchy> hierarchies = find_hierarchies();
    const Result<Group> group = Group::make(hierarchies, "assay-bench-" + std::to_string(::getpid()), true);
    if (!group || !group->has(Controller::unified) || !group->has(Controller::pids)) return std::nullopt;
    must(group->limit_processes(processes));
    const Spawned first = must(clone_process(0, group->birthplace()));
    if (first.pid == 0) {
        if (group->enter(::getpid())) ::execl(program.c_str(), program.c_str(), nullptr);
        ::_exit(1);
    }
    std::this_thread::sleep_for(bomb_grows);
    if (group->processes() < processes) broken("the bomb in no sandbox did not grow");
    const sys::TimePoint asked = sys::system_clock().now();
    group->kill();
    const sys::Fd events{
        ::open((group->place(Controller::unified)->own + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC)};
    for (char text[256];;) {
        const ssize_t size = ::pread(events.get(), text, sizeof text, 0);
        if (size <= 0) broken("the bomb's group does not tell of its end");
        if (std::string_view{text, static_cast<std::size_t>(size)}.contains("populated 0")) break;
        pollfd change{events.get(), POLLPRI, 0};
        if (::poll(&change, 1, 10'000) == 0) broken("the bomb in no sandbox does not end");
    }
    const double took = sys::ms_of(sys::system_clock().now() - asked);
    if (::waitpid(first.pid, nullptr, 0) != first.pid || !group->remove(asked + 10s))
        broken("the bomb in no sandbox left something");
    return took;
}

void limits(const Server& server, int rounds) {
    Client client = server.client();
    Job job = must(client.open_job(0, 2LL << 30));
    Series single, several, forks, bare_forks, memory;
    const std::string here = must(sys::link_target("/proc/self/exe"));
    const std::string bare_bomb = here.substr(0, here.rfind('/')) + "/bench_bomb";
    const auto overshoot = [&](const std::string& script) {
        Request request = true_request();
        request.command = {"/bin/sh", "-c", script};
        request.limits.cpu_ms = 100;
        const Finished done = must(job.run(request));
        if (!done.outcome.cpu_exceeded) broken("a busy loop was not ended by its CPU limit");
        return done.outcome.cpu_user_ms + done.outcome.cpu_system_ms - static_cast<double>(request.limits.cpu_ms);
    };
    const std::string loop = "while :; do :; done";
    const model::Limits large{.cpu_ms = 60'000, .memory_bytes = 1536LL << 20, .processes = 256};
    for (int round = 0; round < rounds; ++round) {
        single.push_back(overshoot(loop));
        several.push_back(overshoot(loop + " & " + loop + " & " + loop + " & " + loop));
        if (round % 5 != 0) continue;
        forks.push_back(ending_of(job, {bomb}, large));
        if (const std::optional<double> took = ending_of_bare_bomb(bare_bomb, large.processes))
            bare_forks.push_back(*took);
        memory.push_back(ending_of(job, {"/usr/bin/python3", "-c", "import time\nx = bytearray(b'x') * (1 << 30)\ntime.sleep(60)"}, large));
    }
    print("single", single);
    print("several", several);
    print("forks", forks);
    print("bare_forks", bare_forks);
    print("memory", memory);
}

void guests(const Server& server, int rounds) {
    Client client = server.client();
    Series plain, called, started;
    for (int block = 0; block < 2; ++block) {
        Job job = must(client.open_job(0, 512LL << 20));
        Request build = true_request();
        build.seal = true;
        (void)must(job.run(build));
        for (int i = 0; i < rounds / 2; ++i) {
            std::this_thread::sleep_for(breath);
            plain.push_back(ms_of([&] { run_true(job); }));
        }
        Request harness = true_request();
        harness.trust = Trust::trusted;
        harness.limits.wall_ms = 120'000;
        harness.limits.cpu_ms = 60'000;
        harness.guests = GuestRules{.environment = harness.environment};
        harness.command = {"/usr/bin/python3", "-c",
            "import os, time\n"
            "def once(*words):\n"
            "    begin = time.monotonic()\n"
            "    if os.waitpid(os.posix_spawn(words[0], words, os.environ), 0)[1]: raise SystemExit('failed')\n"
            "    return (time.monotonic() - begin) * 1000\n"
            "for i in range(" + std::to_string(rounds / 2) + "):\n"
            "    time.sleep(0.02); print(once('/assay/run', '--', '/bin/true'), end=' ')\n"
            "    time.sleep(0.02); print(once('/bin/true'))\n"};
        const Finished done = must(job.run(harness));
        if (done.outcome.exit_code != 0) broken("the harness: " + done.outcome.errors.text());
        for (const std::string_view line : split(done.outcome.output.head, '\n')) {
            const auto words = split(line, ' ');
            if (words.size() != 2) continue;
            called.push_back(std::strtod(std::string{words[0]}.c_str(), nullptr));
            started.push_back(std::strtod(std::string{words[1]}.c_str(), nullptr));
        }
    }
    print("plain", plain);
    print("called", called);
    print("started", started);
}

int bench(int argc, char** argv) {
    const std::string_view part = argc > 1 ? argv[1] : "";
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 1;
    std::vector<Peer> peers;
    for (int i = 3; i + 2 < argc; i += 3) {
        Peer peer{.name = argv[i], .every = std::max(1, std::atoi(argv[i + 1])), .command = {}};
        for (const std::string_view word : split(argv[i + 2], ' ')) peer.command.emplace_back(word);
        peers.push_back(std::move(peer));
    }
    const Server server;
    if (part == "latency") latency(server, rounds, peers);
    else if (part == "rate") rate(server, rounds);
    else if (part == "limits") limits(server, rounds);
    else if (part == "guests") guests(server, rounds);
    else broken("PART is latency, rate, limits or guests");
    return 0;
}

}  // namespace
}  // namespace assay::sandbox

int main(int argc, char** argv) { return assay::sandbox::bench(argc, argv); }
