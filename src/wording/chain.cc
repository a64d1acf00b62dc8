#include "wording/chain.hh"

#include <array>

#include "wording/text.hh"

namespace assay::wording {
namespace {

Text text_of(Chain it) {
    using enum Chain;
    switch (it) {
        case since: return {"since {0}, for {1}", "自 {0} 起，已 {1}"};
        case position: return {"place {0} in line", "排在第 {0} 位"};
        case expected: return {"expected to start {0}", "预计 {0} 开始"};
        case expected_unknown: return {"when it starts cannot be foretold yet", "暂时无法预计开始时间"};
        case slots_run: return {"{0} of {1} {1:slot runs|slots run} jobs", "{1} 个运行位置中有 {0} 个在运行任务"};
        case job_runs: return {"{0} of {1} ({2}) has run for {3}: {4}", "{1} 的 {0}（{2}）已运行 {3}：{4}"};
        case own_runs:
            return {"another of the same participant, {0}, has run for {1}: {2}",
                    "同一参与者的另一个提交 {0} 已运行 {1}：{2}"};
        case others_run:
            return {"{0} {0:submission|submissions} of others {0:runs|run}; the longest has run for {1}",
                    "有 {0} 个其他人的提交在运行；最久的已运行 {1}"};
        case in_stage: return {"in stage {0}, {1} of {2} {2:test|tests} done", "处于阶段 {0}，已完成 {1} / {2} 个测试"};
        case in_no_stage: return {"it is being prepared", "正在准备"};
        case runs_now: return {"it runs: {0}", "正在运行：{0}"};
        case begun_again:
            return {"it began again {0} {0:time|times} after a fault of ours and {1} {1:time|times} after a stop of the server",
                    "因服务器一侧故障重新开始 {0} 次，因服务器停止重新开始 {1} 次"};
        case no_longer_waits: return {"it does not wait: it is {0}", "它没有在等待，状态为 {0}"};
        case behind_all: return {"they end by their limits at the latest", "最迟会因各自的限制而结束"};
        case job_now: return {"job {0}, looked at now: {1}", "任务 {0}，现在观察到：{1}"};
        case stage_fault: return {"stage {0}: {1}", "阶段 {0}：{1}"};
        case test_fault: return {"stage {0}, test {1}: {2}", "阶段 {0}，测试 {1}：{2}"};
        case more_faults: return {"and {0} {0:other|others}", "以及另外 {0} 个"};
        case end_of_stream: return {"the end of its {0}:", "其 {0} 的末尾："};
        case after_grader_fault:
            return {"mend the grader and apply the course, then assay rejudge {0}",
                    "修复评分程序后重新应用课程，再执行 assay rejudge {0}"};
        case after_system_fault:
            return {"assay check looks at this host; then assay rejudge {0}",
                    "用 assay check 检查本机，再执行 assay rejudge {0}"};
    }
    return {"", ""};
}

Text remedy_of(model::Reason reason) {
    using enum model::Reason;
    switch (reason) {
        case slot:
            return {"it starts by itself; more slots (serve --slots) make the line shorter where the machine has room",
                    "会自动开始；若机器有余量，可增加运行位置（serve --slots）"};
        case fair_share: return {"it starts by itself when its turn comes", "轮到时会自动开始"};
        case pressure: return {"see what loads the machine: assay why --last", "查看机器负载的来源：assay why --last"};
        case disk_reserve: return {"make room on the disk of the data directory", "清理数据目录所在磁盘的空间"};
        case image:
            return {"import the image its module names: assay image import",
                    "导入该模块所需的镜像：assay image import"};
        case runner_lost:
            return {"it runs again by itself; the server's log says why the runner was lost",
                    "会自动重新运行；服务器日志中有评测进程丢失的原因"};
        case retry:
            return {"it runs again by itself; what failed stands above, and assay check looks at this host",
                    "会自动重新运行；故障内容见上，可用 assay check 检查本机"};
        case held_by_staff: return {"assay queue release puts it back in line", "用 assay queue release 放回队列"};
        case module_paused: return {"assay queue resume goes on with its module", "用 assay queue resume 恢复该模块"};
        case grader_broken:
            return {"mend the grader and apply the course, or assay queue resume",
                    "修复评分程序后重新应用课程，或用 assay queue resume"};
        case submissions_used:
            return {"assay queue release has it graded all the same", "用 assay queue release 仍可对其评分"};
        case resources:
            return {"ask for less in the module's limits, or add a machine", "降低模块的资源限制，或增加机器"};
        case no_runner:
            return {"assay check says what this host lacks; then start the server again",
                    "用 assay check 查看本机缺少什么，然后重新启动服务器"};
        case drain: return {"it starts when the server is there again", "服务器重新启动后会开始"};
    }
    return {"", ""};
}

}  // namespace

std::string say(Language language, Chain it, std::span<const std::string> arguments) {
    std::array<std::string_view, 5> five{};
    for (std::size_t i = 0; i < std::min(arguments.size(), five.size()); ++i) five[i] = arguments[i];
    return filled(text_of(it).in(language), {five[0], five[1], five[2], five[3], five[4]});
}

std::string remedy(Language language, model::Reason reason) { return std::string{remedy_of(reason).in(language)}; }

}  // namespace assay::wording
