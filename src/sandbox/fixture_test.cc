#include "sandbox/fixture.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "base/text.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/own_cores.hh"
#include "sys/file.hh"
#include "sys/random.hh"
#include "testing/patience.hh"

namespace assay::sandbox::testing {
namespace {

std::string processes_of(std::uint32_t first) {
    std::string found;
    for (const std::string& name : sys::list_directory("/proc").value()) {
        if (name.find_first_not_of("0123456789") != name.npos) continue;
        const Result<std::string> status = sys::read_file("/proc/" + name + "/status", 64 << 10);
        // Without memory: a zombie, or a namespace's init behind one. It holds nothing; when it goes is the machine's init to say.
        if (!status || !status->contains("\nVmSize:")) continue;
        const std::size_t at = status->find("\nUid:\t");
        if (at == status->npos) continue;
        const auto uid = static_cast<std::uint32_t>(std::stoul(status->substr(at + 6)));
        if (uid >= first && uid < first + 256) found += name + " (" + *status + ") ";
    }
    return found;
}

}  // namespace

int fill_from_lines(int archive, const char* prefix) {
    const sys::Fd file{archive};
    const Result<std::string> text = sys::read_all(file, 64 << 20);
    if (!text) return 1;
    for (std::string_view line : split(*text, '\n')) {
        if (!line.starts_with(prefix) || line.empty()) continue;
        line.remove_prefix(std::string_view{prefix}.size());
        if (line.ends_with('/')) {
            if (::mkdir(std::string{line}.c_str(), 0755) != 0) return 1;
            continue;
        }
        if (const std::size_t at = line.find('@'); at != line.npos) {
            if (::symlink(std::string{line.substr(at + 1)}.c_str(), std::string{line.substr(0, at)}.c_str()) != 0) return 1;
            continue;
        }
        const std::size_t equals = line.find('=');
        const sys::Fd out{::open(std::string{line.substr(0, equals)}.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0755)};
        if (!out || !sys::write_all(out, line.substr(equals + 1))) {
            (void)!::write(2, "does not fit\n", 13);
            return 1;
        }
    }
    return 0;
}

int patience() { return assay::testing::patience(); }

void SandboxTest::SetUp() {
    if (::geteuid() != 0) GTEST_SKIP() << "sandboxes are built by root";
    const HostCheck host = check_host();
    if (!host.can_grade) GTEST_SKIP() << "this host cannot grade: " << (host.missing.empty() ? "" : host.missing.front());
    id_ = sys::random_text(16, "0123456789abcdef");
    mounts_before_ = sys::read_file("/proc/self/mountinfo", 1 << 20).value();
    restart(false);
}

void SandboxTest::restart(bool allow_binds, const std::string& data, int cores_per_slot, const DiskPace& disk_reads,
                          const DiskScratchRules& disk_scratch, const std::string& jobs_group) {
    stop();
    Result<Helper> helper = start_helper({.directory_id = id_,
                                          .first_uid = first_uid_for(id_),
                                          .fill = fill_from_lines,
                                          .allow_binds = allow_binds,
                                          .jobs_group = jobs_group,
                                          .cores_per_slot = cores_per_slot,
                                          .slots = 1,
                                          .disk_reads = disk_reads,
                                          .disk_scratch = disk_scratch,
                                          .data = data});
    ASSERT_TRUE(helper) << helper.error().text();
    helper_ = std::move(*helper);
    Result<sys::Fd> socket = connect_client(helper_);
    ASSERT_TRUE(socket) << socket.error().text();
    client_.emplace(std::move(*socket));
}

void SandboxTest::stop() {
    client_.reset();
    helper_.control.reset();
    if (helper_.pid > 0) EXPECT_EQ(::waitpid(helper_.pid, nullptr, 0), helper_.pid);
    helper_.pid = 0;
}

void SandboxTest::TearDown() {
    if (id_.empty()) return;
    stop();
    EXPECT_EQ(processes_of(first_uid_for(id_)), "") << "processes are left";
    EXPECT_TRUE(find_groups(find_hierarchies(), "assay-" + id_).empty()) << "groups are left";
    EXPECT_TRUE(find_groups(core_set_trees(), "assay-" + id_).empty()) << "sets of cores are left";
    EXPECT_EQ(sys::read_file("/proc/self/mountinfo", 1 << 20).value(), mounts_before_) << "mounts are left";
}

Job SandboxTest::open_job(int slot, std::int64_t memory_max_bytes) {
    Result<Job> job = client_->open_job(slot, memory_max_bytes);
    if (!job) throw std::runtime_error{job.error().text()};
    return std::move(*job);
}

Request SandboxTest::request(std::vector<std::string> command, std::string stage) {
    Request request;
    request.stage = std::move(stage);
    request.command = std::move(command);
    request.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/work", "LANG=C.UTF-8", "USER=student"};
    request.limits.wall_ms = 20'000 * patience();
    request.limits.cpu_ms *= patience();
    request.limits.memory_bytes = 256LL << 20;
    request.limits.disk_bytes = 64LL << 20;
    return request;
}

Finished SandboxTest::run(const Request& request) {
    Job job = open_job();
    return run(job, request);
}

Finished SandboxTest::run(Job& job, const Request& request) {
    Result<Finished> finished = job.run(request);
    if (!finished) throw std::runtime_error{finished.error().text()};
    return std::move(*finished);
}

sys::Fd SandboxTest::archive(const std::string& lines) { return std::move(sys::memory_file("archive", bytes_of(lines), true)).value(); }

std::string SandboxTest::text_of_report(const Finished& finished) {
    if (!finished.report) return "(none)";
    return sys::read_all(finished.report, 8 << 20).value();
}

}  // namespace assay::sandbox::testing
