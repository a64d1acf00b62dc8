// long: a catalogue
#include "wording/diagnosis.hh"

#include <array>

#include "wording/text.hh"

namespace assay::wording {
namespace {

Text text_of(Diagnosis it) {
    using enum Diagnosis;
    switch (it) {
        case is_ended:
            return {"{0} has ended ({1}); only its parent has not taken note of it",
                    "{0} 已结束（{1}），只是其父进程尚未回收"};
        case is_stopped: return {"{0} is stopped by {1}", "{0} 已被{1}暂停"};
        case is_killed_for_memory:
            return {"{0} waits for {1}, which the kernel ended for lack of memory in {2}",
                    "{0} 在等待 {1}，而后者因 {2} 内存不足已被内核结束"};
        case is_crashed: return {"{0} waits for {1}, which has ended: {2}", "{0} 在等待 {1}，而后者已经结束：{2}"};
        case is_storage_hang:
            return {"{0} has waited the whole time for one answer of the storage: {1} ({2})",
                    "{0} 一直在等待存储的同一次应答：{1}（{2}）"};
        case is_fork_lock:
            return {
                "{0} waits for {1}, a lock that was taken when the process was forked; its owner {2} is not here to "
                "release it",
                "{0} 在等待 {1}：该锁在进程 fork 时已被占用，其持有者 {2} 不在此进程中，无法释放"};
        case is_deadlock: return {"{0} is in a deadlock: {1}", "{0} 陷入死锁：{1}"};
        case is_descriptor_limit:
            return {"{0} has no descriptor left: {1} of {2} in use", "{0} 已无可用的文件描述符：已用 {1} / {2}"};
        case is_process_limit:
            return {"{0} can start no process or thread: {1} of {2} in use in {3}",
                    "{0} 无法再启动进程或线程：{3} 中已用 {1} / {2}"};
        case is_disk_full: return {"{0} cannot write: {1} is full", "{0} 无法写入：{1} 已满"};
        case is_memory_thrash:
            return {"{0} spends its time reading back memory it was denied: {1} of {2} in use",
                    "{0} 把时间花在反复读回被回收的内存上：已用 {1} / {2}"};
        case is_throttled:
            return {"{0} is throttled by a CPU quota of {1} in {2}", "{0} 受 {2} 中 {1} 个 CPU 的配额限制"};
        case is_io_limit:
            return {"{0} waits for a device whose speed is limited for it: {1}", "{0} 在等待对其限速的设备：{1}"};
        case is_storage_metadata:
            return {"{0} waits for names, not for data: {1} ({2})", "{0} 在等待文件元数据（而非数据）：{1}（{2}）"};
        case is_storage_data: return {"{0} waits for data: {1} ({2})", "{0} 在等待数据：{1}（{2}）"};
        case is_oversubscribed:
            return {"{0} is oversubscribed: {1} of its own threads want to run on {2} CPUs",
                    "{0} 线程过多：自身有 {1} 个线程争用 {2} 个 CPU"};
        case is_neighbour: return {"{0} has to share its CPUs with {1}", "{0} 不得不与 {1} 共用 CPU"};
        case is_neighbour_unnamed:
            return {"{0} has to share its CPUs with processes that come and go; together they use {1} of them",
                    "{0} 不得不与不断出现又结束的进程共用 CPU；它们共使用其中 {1} 个"};
        case is_stolen:
            return {"{0} is slow because the hypervisor keeps {1} % of the machine's time",
                    "{0} 变慢，因为虚拟化平台占去了本机 {1} % 的时间"};
        case is_livelock:
            return {"{0} is in a livelock: {1} switches a second, and nothing gets done",
                    "{0} 陷入活锁：每秒切换 {1} 次，却毫无进展"};
        case is_spin:
            return {"{0} spins: it uses its CPU and does nothing that shows from outside",
                    "{0} 在空转：占用 CPU，但从外部看不到任何进展"};
        case is_blocked_on_peer: return {"{0} waits for {1}; the other end is {2}", "{0} 在等待 {1}；另一端是 {2}"};
        case is_waiting_for_requests:
            return {"{0} is healthy and waits to be asked: {1}", "{0} 正常，正在等待请求：{1}"};
        case is_sleeping:
            return {"{0} is healthy and waits for a time of its own choice", "{0} 正常，正在按自己设定的时间等待"};
        case is_busy: return {"{0} is healthy and works, with {1} cores", "{0} 正常工作中，使用 {1} 个核"};
        case is_undecided:
            return {"what {0} waits for is not known, because of what could not be read (below)",
                    "尚不清楚 {0} 在等待什么，原因是以下内容无法读取"};
        case saw_cpu: return {"it used {0} of {1} CPUs", "使用了 {1} 个 CPU 中的 {0} 个"};
        case saw_delay:
            return {"of the time its threads wanted to run, they waited {0} % for a CPU",
                    "在其线程需要运行的时间里，有 {0} % 在等待 CPU"};
        case saw_runnable:
            return {"{0} of its threads were running or ready at a time, on {1} CPUs",
                    "平均有 {0} 个线程在运行或就绪，可用 CPU 为 {1} 个"};
        case saw_throttled:
            return {"the quota ran out in {0} of {1} periods, {2} s in all",
                    "{1} 个周期中有 {0} 个配额用尽，共 {2} 秒"};
        case saw_storage:
            return {"{0} waited for storage in {1} % of the looks; {2} % of these for a name",
                    "{0} 在 {1} % 的采样中等待存储，其中 {2} % 是元数据"};
        case saw_wait: return {"{0} waits in {1} for {2}", "{0} 在 {1} 中等待 {2}"};
        case saw_switches:
            return {"{0} voluntary and {1} forced switches a second", "每秒主动切换 {0} 次，被迫切换 {1} 次"};
        case saw_work: return {"{0} a second moved by {1} calls a second", "每秒读写 {0}，调用 {1} 次"};
        case saw_no_work: return {"not one byte was read or written in {0} s", "{0} 秒内没有读写任何字节"};
        case saw_faults: return {"{0} pages a second had to be read from a disk", "每秒有 {0} 个页面需要从磁盘读取"};
        case saw_memory: return {"memory: {0} of {1} in {2}", "内存：{2} 中已用 {0} / {1}"};
        case saw_pressure:
            return {"pressure of its group: cpu {0} %, io {1} %, memory {2} %",
                    "所在组的压力：CPU {0} %，IO {1} %，内存 {2} %"};
        case saw_ended: return {"{0} ended ({1}) and nobody has collected it", "{0} 已结束（{1}），但无人回收"};
        case saw_oom:
            return {"the kernel has ended {0} processes of {1} for lack of memory",
                    "内核已因内存不足结束了 {1} 中的 {0} 个进程"};
        case saw_space: return {"{0} has {1} and {2} names free", "{0} 剩余 {1}、{2} 个文件名"};
        case saw_neighbour: return {"{0} used {1} CPUs of those it may use", "{0} 使用了其可用 CPU 中的 {1} 个"};
        case saw_peer: return {"{0} is {1}", "{0} 的状态：{1}"};
        case saw_gap:
            return {"the longest time without a sign of work was {0} s, the median {1} s",
                    "最长 {0} 秒没有进展，中位数为 {1} 秒"};
        case saw_failed_writes: return {"{0} writes brought no byte to the disk", "{0} 次写入没有写进任何字节"};
        case but_silent_work:
            return {
                "a computation that reads and writes nothing looks the same; if it is one, it goes on by itself (ask "
                "again with --for 60s)",
                "不读不写的纯计算看起来也是如此；若是，它会自行继续（可用 --for 60s 再看一次）"};
        case but_pressure_low:
            return {"the kernel's pressure figure is only {0} %; it does not count waits of this kind fully",
                    "内核的压力指标仅为 {0} %；它并不完整统计此类等待"};
        case but_one_window:
            return {"this was seen in {0} s; a longer look (--for) is surer",
                    "此结论基于 {0} 秒的观察；用 --for 观察更久会更可靠"};
        case but_peer_unseen:
            return {"the other end is on another machine or of another user: whether it works is not seen from here",
                    "另一端在别的机器上或属于别的用户：从这里看不到它是否在工作"};
        case but_idle_connection:
            return {"a connection that is merely idle looks the same", "仅仅处于空闲的连接看起来也是如此"};
        case but_owner_memory:
            return {
                "the lock's owner was read from the C library's own bookkeeping; another library's lock could look "
                "alike",
                "锁的持有者取自 C 库的内部记录；其他库的锁可能看起来相似"};
        case but_own_threads:
            return {"that nobody else can wake it follows from all threads waiting without a time limit",
                    "“无人能唤醒”是根据所有线程都在无限期等待推断的"};
        case but_others_run:
            return {"other parts of it still work: {0} % of a CPU", "其他部分仍在工作：占一个 CPU 的 {0} %"};
        case but_nothing: return {"nothing seen speaks against it", "没有发现相反的迹象"};
        case do_collect:
            return {"nothing runs any more; what remains goes when its parent, process {0}, collects it or ends",
                    "已没有任何东西在运行；其父进程 {0} 回收或结束后，残留即消失"};
        case do_continue: return {"let it go on: kill -CONT {0}", "让它继续：kill -CONT {0}"};
        case do_attach:
            return {"a debugger (process {0}) holds it: let it go on there",
                    "调试器（进程 {0}）使其停住：请在调试器中继续"};
        case do_thaw:
            return {"its group is frozen: write 0 to cgroup.freeze, or THAWED to freezer.state",
                    "其控制组被冻结：向 cgroup.freeze 写入 0，或向 freezer.state 写入 THAWED"};
        case do_raise_memory:
            return {"start it again with more memory in {0}, or with fewer workers",
                    "提高 {0} 的内存上限或减少 worker 后重新启动"};
        case do_look_at_exit:
            return {"look at what the worker printed last; the program should notice that a worker ended: restart it",
                    "查看 worker 最后的输出；程序应能发现 worker 已结束：请重新启动"};
        case do_storage:
            return {
                "whoever runs the storage has to look at {0}; mount it soft or with a time limit so that this ends in "
                "an error",
                "请存储的管理员检查 {0}；用 soft 或带超时的方式挂载，可使其以错误结束"};
        case do_fork_lock:
            return {"restart it; start workers with spawn or forkserver, or fork before any thread is started",
                    "重新启动；用 spawn 或 forkserver 启动 worker，或在启动任何线程之前 fork"};
        case do_deadlock:
            return {"restart it; take the locks in one order everywhere, or read a pipe while you write the other",
                    "重新启动；各处按同一顺序加锁，或在写一个管道的同时读另一个"};
        case do_raise_descriptors:
            return {"raise the limit (ulimit -n, LimitNOFILE=) or close what is not needed",
                    "提高上限（ulimit -n、LimitNOFILE=），或关闭不需要的描述符"};
        case do_raise_processes:
            return {"raise the limit of {0}, or start fewer workers", "提高 {0} 的上限，或减少 worker"};
        case do_free_space:
            return {"free space or names on {0}; then it goes on, if it tries again",
                    "在 {0} 上释放空间或文件名；若程序会重试，它将继续"};
        case do_less_memory: return {"raise its memory limit, or workers = {0}", "提高内存上限，或 workers = {0}"};
        case do_quota:
            return {"workers = {0}, or raise the quota to {1} CPUs", "workers = {0}，或把配额提高到 {1} 个 CPU"};
        case do_raise_io: return {"raise this limit, or read less", "提高此限制，或减少读取"};
        case do_metadata:
            return {"fewer, larger files (an archive or a table instead of a folder of small files), or a local copy",
                    "使用更少、更大的文件（用归档或表代替大量小文件的目录），或使用本地副本"};
        case do_data:
            return {"read ahead with more workers, larger reads, or a local copy",
                    "用更多 worker 预读、增大单次读取，或使用本地副本"};
        case do_workers: return {"workers = {0}", "workers = {0}"};
        case do_neighbour:
            return {"give each its own CPUs (cpuset, taskset), or a weight of its own",
                    "为各自分配专用 CPU（cpuset、taskset），或设置各自的权重"};
        case do_provider: return {"ask whoever runs the host of this virtual machine", "请联系此虚拟机宿主机的管理员"};
        case do_livelock:
            return {"restart it; back off for a random time when a lock was not to be had",
                    "重新启动；拿不到锁时应随机退避"};
        case do_spin:
            return {
                "see where it is: gdb -p {0} -batch -ex 'thread apply all bt' (py-spy dump for Python); then restart "
                "it",
                "查看其位置：gdb -p {0} -batch -ex 'thread apply all bt'（Python 可用 py-spy dump）；然后重新启动"};
        case do_peer:
            return {"look at {0}: it does not answer; give the wait a time limit",
                    "检查 {0}：它没有应答；请为等待设置时限"};
        case do_nothing: return {"nothing has to be done", "无需处理"};
        case do_read_more: return {"ask again as its user or as root", "请以该进程的用户或 root 身份再次查询"};
        case label_confidence: return {"confidence: {0}", "可信度：{0}"};
        case label_decided: return {"decided by", "判断依据"};
        case label_awaits: return {"awaits", "等待对象"};
        case label_evidence: return {"seen", "观察到"};
        case label_against: return {"but", "不过"};
        case label_remedy: return {"do", "建议"};
        case label_unread: return {"not read", "未能读取"};
    }
    return {"", ""};
}

}  // namespace

std::string say(Language language, Diagnosis it, std::span<const std::string> arguments) {
    std::array<std::string_view, diagnosis_arguments_max> six{};
    for (std::size_t i = 0; i < std::min(arguments.size(), six.size()); ++i) six[i] = arguments[i];
    return filled(text_of(it).in(language), {six[0], six[1], six[2], six[3], six[4], six[5]});
}

}  // namespace assay::wording
