// long: a catalogue
#include "wording/trouble.hh"

#include <array>

#include "wording/text.hh"

namespace assay::wording {
namespace {

Text summary_of(Trouble it) {
    using enum Trouble;
    switch (it) {
        case blackout:
            return {"nothing was recorded: the machine was off, stood still or was too stalled to record",
                    "没有任何记录：机器曾断电、停顿，或卡顿到无法记录"};
        case clock_jump: return {"the wall clock jumped", "系统时钟发生跳变"};
        case steal: return {"the hypervisor kept the processors for others", "虚拟化平台把处理器给了别人"};
        case memory_thrash:
            return {"the machine ran out of memory and read its programs back from disk again and again",
                    "内存耗尽，机器不断从磁盘重新读回程序"};
        case job_at_limit:
            return {"a job hit its own memory limit; the server was not touched",
                    "某个任务达到了自身的内存上限；服务器未受影响"};
        case cache_refill:
            return {"the page cache was filled anew; that is harmless", "页缓存正在重新填充；这是无害的"};
        case disk_full: return {"the disk of the data directory had no room left", "数据目录所在磁盘已无空间"};
        case disk_writer: return {"one writer took the whole disk", "一个写入者占满了整个磁盘"};
        case disk_reader: return {"one reader took the whole disk", "一个读取者占满了整个磁盘"};
        case nfs_slow: return {"a network file system did not answer in time", "网络文件系统未及时应答"};
        case fsync_convoy: return {"everybody waited for the file system's journal", "所有写入都在等待文件系统日志"};
        case disk_slow: return {"the disk answered slowly without much to do", "磁盘负载不高却响应缓慢"};
        case cgroup_throttled: return {"a CPU quota of its own held the server back", "服务器受自身 CPU 配额限制"};
        case cpu_starved: return {"more wanted the processors than there are", "处理器供不应求"};
        case core_pinned:
            return {"one thread kept one core busy, the others had nothing to do", "一个线程占满了一个核，其余核空闲"};
        case commit_stalled: return {"the database could not commit in time", "数据库未能及时提交"};
        case accept_queue_full: return {"more connections came than were taken in", "新连接多于服务器能接受的数量"};
        case descriptors_gone: return {"the machine has nearly no open files left", "整机可打开的文件数即将耗尽"};
        case slow_clients: return {"many clients sent slowly at the same time", "许多客户端同时缓慢上传"};
        case runner_lost: return {"a runner was lost; its jobs were given back", "评测进程丢失；其任务已退回"};
        case image_missing: return {"jobs waited for an image that was not there", "任务在等待尚未就绪的镜像"};
        case server_stopped:
            return {"the server did not run here: it was stopped or killed, and started again",
                    "此时服务器没有运行：它被停止或被终止，随后重新启动"};
        case own_bug:
            return {"the server itself was late although nothing on the machine held it",
                    "机器上没有任何阻碍，服务器自身却延迟了"};
    }
    return {"", ""};
}

Text remedy_of(Trouble it) {
    using enum Trouble;
    switch (it) {
        case blackout:
            return {
                "look for a power cut, a pause of the virtual machine or a panic at this time (journalctl "
                "--list-boots, the provider's events)",
                "检查此时是否断电、虚拟机暂停或内核崩溃（journalctl --list-boots、云平台事件）"};
        case clock_jump:
            return {"keep it with one time service (chrony); deadlines went by the clock as it was",
                    "使用一种校时服务（chrony）；截止时间按当时的时钟计算"};
        case steal:
            return {"ask the provider: another machine type, or less neighbours", "联系云平台：更换机型或减少邻居"};
        case memory_thrash:
            return {
                "give whoever grew a memory limit; echo 1000 >/sys/kernel/mm/lru_gen/min_ttl_ms lets the kernel end it "
                "in time",
                "为增长者设置内存上限；echo 1000 >/sys/kernel/mm/lru_gen/min_ttl_ms 可让内核及时终止它"};
        case job_at_limit: return {"nothing: its verdict says memory_limit", "无需处理：其结果为 memory_limit"};
        case cache_refill: return {"nothing: do not end anything for it", "无需处理：不要为此终止任何程序"};
        case disk_full: return {"make room, see docs/operating/disk.md", "清理空间，参见 docs/operating/disk.md"};
        case disk_writer:
            return {"limit it (io.max), or a smaller vm.dirty_bytes", "限制它（io.max），或减小 vm.dirty_bytes"};
        case disk_reader:
            return {"limit it (io.max), or give the data directory a disk of its own",
                    "限制它（io.max），或为数据目录使用单独的磁盘"};
        case nfs_slow:
            return {"keep the data directory off it; mount it soft with a short timeo",
                    "不要把数据目录放在上面；用 soft 和较短的 timeo 挂载"};
        case fsync_convoy: return {"a file system of its own for the data directory", "为数据目录使用单独的文件系统"};
        case disk_slow:
            return {"ask the provider (burst credit, a neighbour), or look at the disk's health",
                    "联系云平台（突发额度、邻居），或检查磁盘健康状况"};
        case cgroup_throttled:
            return {"raise the quota of its unit (CPUQuota=, cpu.max)", "提高其单元的配额（CPUQuota=、cpu.max）"};
        case cpu_starved:
            return {"fewer slots, or a larger weight for the server's unit (CPUWeight=)",
                    "减少运行位置，或提高服务器单元的权重（CPUWeight=）"};
        case core_pinned:
            return {"see which thread: top -H; if it is the server's, tell its makers",
                    "用 top -H 查看是哪个线程；若属于服务器，请反馈给开发者"};
        case commit_stalled:
            return {"look at the disk: assay check measures how long it takes to sync",
                    "检查磁盘：assay check 会测量同步耗时"};
        case accept_queue_full:
            return {"raise net.core.somaxconn; look what held the server's loops",
                    "提高 net.core.somaxconn；查看是什么拖住了服务器的事件循环"};
        case descriptors_gone: return {"raise fs.file-max, or end who holds them", "提高 fs.file-max，或结束占用者"};
        case slow_clients:
            return {
                "nothing has to be done: slow senders do not hold others; a proxy before the server may buffer them",
                "无需处理：慢速发送者不会阻塞他人；也可由前置代理缓冲"};
        case runner_lost: return {"the server's log says why it ended", "服务器日志中有其结束的原因"};
        case image_missing: return {"import it: assay image import", "导入镜像：assay image import"};
        case server_stopped:
            return {"nothing, if somebody restarted it; else its service's log says why it ended (journalctl -u assay)",
                    "若为人工重启则无需处理；否则服务日志中有其结束的原因（journalctl -u assay）"};
        case own_bug:
            return {"keep the recording (assay replay --json) and tell its makers",
                    "保存记录（assay replay --json）并反馈给开发者"};
    }
    return {"", ""};
}

Text label_of(Figure it) {
    using enum Figure;
    switch (it) {
        case refaults_per_s: return {"pages read back a second", "每秒读回的页面"};
        case memory_full: return {"all waiting for memory, %", "全部任务等待内存，%"};
        case io_full: return {"all waiting for disks, %", "全部任务等待磁盘，%"};
        case available: return {"memory available, %", "可用内存，%"};
        case disk_busy: return {"disk busy, %", "磁盘繁忙，%"};
        case written_per_s: return {"written, MiB/s", "写入，MiB/s"};
        case read_per_s: return {"read, MiB/s", "读取，MiB/s"};
        case disk_wait_ms: return {"wait of a request, ms", "单个请求等待，毫秒"};
        case disk_requests_per_s: return {"requests to disks a second", "每秒磁盘请求"};
        case flush_ms: return {"flushing, ms a second", "每秒刷盘耗时，毫秒"};
        case cpu_some: return {"some waiting for a processor, %", "有任务等待处理器，%"};
        case steal: return {"kept by the hypervisor, %", "被虚拟化平台占用，%"};
        case core_busiest: return {"busiest core, %", "最忙的核，%"};
        case throttled: return {"throttled, %", "被限速，%"};
        case loop_lag_ms: return {"server's loop late, ms", "服务器事件循环延迟，毫秒"};
        case late_ms: return {"recorder late, ms", "记录器延迟，毫秒"};
        case told_age_ms: return {"server silent, ms", "服务器无消息，毫秒"};
        case commit_ms: return {"slowest commit, ms", "最慢的提交，毫秒"};
        case listen_overflows: return {"connections not taken in", "未接受的连接"};
        case open_files: return {"open files of all allowed, %", "已打开文件占上限，%"};
        case uploads: return {"uploads on their way", "正在上传"};
        case connections: return {"connections", "连接数"};
        case gap_s: return {"nothing recorded, s", "无记录，秒"};
        case stopped_s: return {"machine stood still, s", "机器停顿，秒"};
        case clock_step_s: return {"clock jumped, s", "时钟跳变，秒"};
        case jobs_running: return {"jobs running", "运行中的任务"};
        case limit_hits: return {"times at a memory limit", "达到内存上限的次数"};
        case oom_kills: return {"ended for memory", "因内存被结束"};
        case waits_in_d: return {"tasks waiting for disks", "等待磁盘的任务"};
    }
    return {"", ""};
}

Text text_of(TroubleLine it) {
    using enum TroubleLine;
    switch (it) {
        case evidence: return {"{0}: {1} at {2}; usually {3}", "{0}：{2} 时为 {1}；平时为 {3}"};
        case d_state: return {"{0} waited in {1} for {2} frames", "{0} 在 {1} 中等待了 {2} 帧"};
        case slow_request: return {"{0} took {1} ms", "{0} 耗时 {1} 毫秒"};
        case offender: return {"{0}, with {1}", "{0}，{1}"};
        case victims: return {"held up: {0}", "受影响：{0}"};
        case against_share: return {"it was seen in {0} % of the time only", "只在 {0} % 的时间里出现"};
        case against_nobody:
            return {"who did it was not recorded: groups and tasks are recorded only where they may be read",
                    "没有记录到是谁所为：只有可读取的控制组和任务才会被记录"};
        case nothing_against: return {"nothing recorded speaks against it", "记录中没有相反的迹象"};
        case calm: return {"nothing stalled between {0} and {1}", "{0} 至 {1} 之间没有卡顿"};
        case calm_advice:
            return {"ask for another time with --at, or look back with assay replay",
                    "用 --at 查询其他时间，或用 assay replay 回看"};
        case unread: return {"not recorded: {0}", "没有记录：{0}"};
    }
    return {"", ""};
}

}  // namespace

std::string_view to_string(Trouble it) {
    using enum Trouble;
    switch (it) {
        case blackout: return "blackout";
        case clock_jump: return "clock_jump";
        case steal: return "steal";
        case memory_thrash: return "memory_thrash";
        case job_at_limit: return "job_at_limit";
        case cache_refill: return "cache_refill";
        case disk_full: return "disk_full";
        case disk_writer: return "disk_writer";
        case disk_reader: return "disk_reader";
        case nfs_slow: return "nfs_slow";
        case fsync_convoy: return "fsync_convoy";
        case disk_slow: return "disk_slow";
        case cgroup_throttled: return "cgroup_throttled";
        case cpu_starved: return "cpu_starved";
        case core_pinned: return "core_pinned";
        case commit_stalled: return "commit_stalled";
        case accept_queue_full: return "accept_queue_full";
        case descriptors_gone: return "descriptors_gone";
        case slow_clients: return "slow_clients";
        case runner_lost: return "runner_lost";
        case image_missing: return "image_missing";
        case server_stopped: return "server_stopped";
        case own_bug: return "own_bug";
    }
    return "";
}

std::string_view to_string(Figure it) {
    using enum Figure;
    switch (it) {
        case refaults_per_s: return "refaults_per_s";
        case memory_full: return "memory_full";
        case io_full: return "io_full";
        case available: return "available";
        case disk_busy: return "disk_busy";
        case written_per_s: return "written_per_s";
        case read_per_s: return "read_per_s";
        case disk_wait_ms: return "disk_wait_ms";
        case disk_requests_per_s: return "disk_requests_per_s";
        case flush_ms: return "flush_ms";
        case cpu_some: return "cpu_some";
        case steal: return "steal";
        case core_busiest: return "core_busiest";
        case throttled: return "throttled";
        case loop_lag_ms: return "loop_lag_ms";
        case late_ms: return "late_ms";
        case told_age_ms: return "told_age_ms";
        case commit_ms: return "commit_ms";
        case listen_overflows: return "listen_overflows";
        case open_files: return "open_files";
        case uploads: return "uploads";
        case connections: return "connections";
        case gap_s: return "gap_s";
        case stopped_s: return "stopped_s";
        case clock_step_s: return "clock_step_s";
        case jobs_running: return "jobs_running";
        case limit_hits: return "limit_hits";
        case oom_kills: return "oom_kills";
        case waits_in_d: return "waits_in_d";
    }
    return "";
}

std::string summary(Language language, Trouble it) { return std::string{summary_of(it).in(language)}; }
std::string remedy(Language language, Trouble it) { return std::string{remedy_of(it).in(language)}; }
std::string label(Language language, Figure it) { return std::string{label_of(it).in(language)}; }

std::string say(Language language, TroubleLine it, std::span<const std::string> arguments) {
    std::array<std::string_view, 4> four{};
    for (std::size_t i = 0; i < std::min(arguments.size(), four.size()); ++i) four[i] = arguments[i];
    return filled(text_of(it).in(language), {four[0], four[1], four[2], four[3]});
}

}  // namespace assay::wording
