#include "wording/alarms.hh"

#include <algorithm>

#include "wording/text.hh"

namespace assay::wording {
namespace {

Text text_of(AlarmWord word) {
    using enum AlarmWord;
    switch (word) {
        case wake: return {"urgent", "紧急"};
        case day: return {"today", "今日处理"};
        case info: return {"note", "提示"};
        case resolved: return {"resolved", "已恢复"};
        case repeated: return {"still", "仍未恢复"};
        case escalated: return {"now urgent", "升级为紧急"};
        case test: return {"test", "测试"};
        case test_line:
            return {"This is a test: alarms of this server arrive here.",
                    "这是一条测试消息：本服务器的告警会发送到这里。"};
        case cause: return {"cause: {0}", "原因：{0}"};
        case offender: return {"by: {0}", "来源：{0}"};
        case advice: return {"what to do: {0}", "处理：{0}"};
        case since: return {"since {0}", "开始时间：{0}"};
        case lasted: return {"lasted {0}, until {1}", "持续 {0}，结束于 {1}"};
        case flapping:
            return {"it comes and goes; nothing more is said until it has been quiet for ten minutes",
                    "该问题反复出现；在连续十分钟恢复正常之前不再发送消息"};
        case harm:
            return {
                "meanwhile: {0} uploads turned away, {1} attempts failed, {2} verdicts of system_fault, {3} requests "
                "failed",
                "其间：拒绝上传 {0} 次，评测中断 {1} 次，system_fault 结果 {2} 个，请求失败 {3} 次"};
        case harm_unknown: return {"what it cost is not known from outside", "其间造成的影响无法从外部得知"};
        case no_harm: return {"no request and no job was lost meanwhile", "其间没有请求或评测受到影响"};
    }
    return {"", ""};
}

struct Alarm {
    std::string_view rule;
    Text headline;
    Text advice;
};

constexpr Alarm alarms[] = {
    {"server_down",
     {"the server does not answer", "服务器没有响应"},
     {"look at the host and at the service's log; start it again", "检查主机和服务日志，重新启动服务"}},
    {"digest_lost",
     {"the server answers, but its signs of life do not arrive", "服务器有响应，但收不到它的心跳数据"},
     {"check that UDP reaches the watcher and that both have the same secret",
      "检查到监视端的 UDP 是否畅通、双方密钥是否一致"}},
    {"data_at_risk",
     {"the disk failed a sync; part of the data cannot be written", "磁盘同步失败，部分数据无法写入"},
     {"look at the disk and its cables first (dmesg); on a sound one the server mends itself or after a restart",
      "先检查磁盘（dmesg）；磁盘正常后服务器会自行恢复，或重新启动"}},
    {"intake_refusing",
     {"the server takes no uploads", "服务器不接受提交"},
     {"the cause says what is lacking; make room on the disk, or mend it", "原因中写明缺少什么；请清理或修复磁盘"}},
    {"backlog_at_deadline",
     {"the line grows and a deadline is near", "截止时间临近，排队仍在增长"},
     {"add slots or runners, hold large modules, or extend the deadline",
      "增加评测槽位，暂停耗时的作业，或延长截止时间"}},
    {"grader_broken",
     {"a module's grader fails for everybody; the module is paused", "某作业的评分程序持续失败，该作业已暂停"},
     {"mend the module and apply the course, or `assay queue resume`",
      "修复该作业并重新 course apply，或执行 assay queue resume"}},
    {"memory_thrash",
     {"the machine is out of memory and reads its programs again and again", "内存不足，系统反复从磁盘读回程序"},
     {"end what grew; give jobs a smaller memory limit or fewer slots",
      "结束占用内存的进程；降低评测的内存上限或减少槽位"}},
    {"memory_low",
     {"little memory is left", "可用内存不足"},
     {"find what grew; fewer slots, or more memory", "找出占用内存的进程；减少槽位或增加内存"}},
    {"system_faults",
     {"jobs ended by a fault of the server", "有评测因服务器故障而结束"},
     {"`assay log ID` of them says which; then `assay rejudge ID`",
      "用 assay log ID 查看原因，修复后执行 assay rejudge ID"}},
    {"grader_faults",
     {"a grader failed several times", "评分程序多次失败"},
     {"look at the module's grader: `assay module check`", "检查该作业的评分程序：assay module check"}},
    {"attempt_faults",
     {"jobs are run again for faults of the infrastructure", "因基础设施故障，评测在重新运行"},
     {"`assay check` on the machine of the runner", "在评测机上执行 assay check"}},
    {"no_runner",
     {"nothing can be graded: no runner", "没有可用的评测程序，无法评测"},
     {"the cause says what is lacking; `assay check` names the cure", "原因中写明缺少什么；assay check 会给出办法"}},
    {"queue_stuck",
     {"jobs wait and none runs", "有评测在排队，但没有任何评测在运行"},
     {"`assay queue list` says why each waits", "assay queue list 会说明每个评测在等什么"}},
    {"jobs_too_large",
     {"a module asks for more than any runner has", "某作业要求的资源超过所有评测机"},
     {"lower the module's limits, or add a larger runner", "降低该作业的限制，或增加更大的评测机"}},
    {"image_missing",
     {"jobs wait for an image that is not there", "评测在等待尚不存在的镜像"},
     {"`assay image import`; `assay queue list` names it", "执行 assay image import；名称见 assay queue list"}},
    {"jobs_retried",
     {"jobs have waited for another try for long", "有评测长时间等待重试"},
     {"`assay queue list` says after which fault", "assay queue list 会说明是哪种故障"}},
    {"disk_nearly_full",
     {"the disk is nearly full", "磁盘即将写满"},
     {"make room before uploads are refused (docs/operating/disk.md)",
      "请在拒绝提交之前清理磁盘（docs/operating/disk.md）"}},
    {"disk_names_low",
     {"the file system has few file names left", "文件系统的 inode 即将用尽"},
     {"remove many small files, or move the data directory", "删除大量小文件，或迁移数据目录"}},
    {"uploads_failing",
     {"uploads fail by a fault of the server", "提交因服务器故障而失败"},
     {"look at the server's log for the request ids", "在服务器日志中按请求编号查找原因"}},
    {"uploads_turned_away",
     {"uploads are turned away: the server is busy", "服务器繁忙，提交被拒绝"},
     {"they come again by themselves; if it goes on, look at `assay_verify_oldest_seconds` and the disk",
      "客户端会自动重试；若持续，检查 assay_verify_oldest_seconds 和磁盘"}},
    {"answers_failing",
     {"many requests end with an error of the server", "大量请求以服务器错误结束"},
     {"look at the server's log", "检查服务器日志"}},
    {"server_slow",
     {"the server answers late", "服务器响应缓慢"},
     {"look what uses the processors and the disk", "检查占用处理器和磁盘的进程"}},
    {"messages_stuck",
     {"alarms cannot be delivered to one of the receivers", "告警无法送达某个接收方"},
     {"`assay alert list` says which and why; then `assay alert test`",
      "assay alert list 会说明是哪一个及原因；然后执行 assay alert test"}},
    {"queue_old",
     {"jobs have waited for more than an hour", "有评测已排队超过一小时"},
     {"`assay queue list` says why", "assay queue list 会说明原因"}},
    {"verify_slow",
     {"uploads wait long to be verified", "提交的校验等待时间过长"},
     {"it passes with the rush; more processors shorten it", "高峰过后会恢复；增加处理器可以缩短"}},
    {"disk_busy",
     {"everything waits for the disk", "所有任务都在等待磁盘"},
     {"find who writes or reads: another service, a backup", "找出读写磁盘的程序：其他服务或备份"}},
    {"connections_shed",
     {"connections were closed because there were too many", "连接数过多，部分连接被关闭"},
     {"raise the limit of open files of the service", "提高服务的打开文件数上限"}},
    {"module_paused",
     {"a module has been paused for half a day", "某作业已暂停半天"},
     {"`assay queue resume`, if that was forgotten", "若是忘记恢复，请执行 assay queue resume"}},
    {"clock_stepped",
     {"the machine's clock jumped", "系统时钟发生跳变"},
     {"check its time service; deadlines go by this clock", "检查时间同步服务；截止时间以此时钟为准"}},
};

const Alarm* find(std::string_view rule) {
    const auto found = std::ranges::find(alarms, rule, &Alarm::rule);
    return found == std::end(alarms) ? nullptr : found;
}

}  // namespace

std::string say(Language language, AlarmWord word, std::initializer_list<std::string_view> arguments) {
    return filled(text_of(word).in(language), arguments);
}

std::optional<std::string> alarm_headline(Language language, std::string_view rule) {
    const Alarm* const alarm = find(rule);
    return alarm == nullptr ? std::nullopt : std::optional{std::string{alarm->headline.in(language)}};
}

std::optional<std::string> alarm_advice(Language language, std::string_view rule) {
    const Alarm* const alarm = find(rule);
    return alarm == nullptr ? std::nullopt : std::optional{std::string{alarm->advice.in(language)}};
}

}  // namespace assay::wording
