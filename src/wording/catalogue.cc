// long: a catalogue
// The catalogue. A text without its other language, or with other placeholders in it, does not compile; nor does a word
// without a text (-Wswitch).
#include "wording/catalogue.hh"

#include "wording/text.hh"

namespace assay::wording {

Text text_of(Sentence sentence) {
    using enum Sentence;
    switch (sentence) {
        case language_other: return {"中文", "English"};
        case skip_to_content: return {"Skip to content", "跳到正文"};
        case footer: return {"assay {0}", "assay {0}"};

        case home_title: return {"Hand in your work, see your result", "提交作业，查看结果"};
        case home_lead:
            return {"Your work is stored safely, run under fixed limits and graded; then the result appears on your page.",
                    "你提交的作业会先可靠保存，再在固定的资源限制下运行并评分，结果会显示在你的页面上。"};
        case token_label: return {"Your token", "你的令牌（token）"};
        case token_hint:
            return {"What your course staff gave you. Copy it exactly, or type it as it is printed.",
                    "课程老师或助教发给你的令牌。请直接复制，或按原样输入。"};
        case home_open: return {"Open my page", "打开我的页面"};
        case home_token_is_secret:
            return {"The token is a password: whoever has it can hand in as you. The page it opens has a link of its own that "
                    "only shows results, so that link may be shared.",
                    "令牌就是密码：谁拿到它，谁就能以你的名义提交。打开后的页面另有自己的链接，只能查看结果，可以放心分享。"};
        case command_line_title: return {"From the command line", "用命令行提交"};
        case command_line_hint:
            return {"The same upload with curl. The answer is one line with the number of your submission.",
                    "用 curl 也能提交，服务器会回复一行文字，其中有你的提交编号。"};
        case get_link: return {"More ways, and clients to download", "更多方式与客户端下载"};
        case get_lead:
            return {"Copy the lines into a terminal. A client checks your folder before it sends anything, goes on where a broken "
                    "connection stopped, and shows the result.",
                    "把下面的命令复制到终端中运行即可。客户端会在发送前检查你的文件夹，断线后从中断处继续上传，并显示评分结果。"};
        case get_fill_in:
            return {"Put your course and module in place of COURSE and MODULE. The link on the page of your module fills them in.",
                    "请把 COURSE 和 MODULE 换成你的课程和作业。从作业页面上的链接进入，这里会自动填好。"};
        case get_linux: return {"Client for Linux (x86-64)", "Linux 客户端（x86-64）"};
        case get_windows: return {"Client for Windows (x86-64)", "Windows 客户端（x86-64）"};
        case get_download: return {"Download {0}", "下载 {0}"};
        case get_size: return {"Size", "大小"};
        case get_fetch:
            return {"Fetch it, not into the folder you hand in, and see that its SHA-256 is the one above.",
                    "下载客户端（不要放进要提交的文件夹），并核对 SHA-256 与上面一致。"};
        case get_login: return {"Once: type your token in; it is kept for this server.", "只需一次：输入你的令牌，客户端会为本服务器保存它。"};
        case get_submit:
            return {"Hand in your folder, put in place of FOLDER, and follow it to its result.", "把 FOLDER 换成要提交的文件夹，提交并一直等到结果出来。"};
        case get_curl: return {"curl alone (Linux, macOS)", "只用 curl（Linux、macOS）"};
        case get_curl_hint:
            return {"Put your token in place of TOKEN, and your packed folder in place of archive.tar.gz. The answer is one line with the number "
                    "of your submission.",
                    "请把 TOKEN 换成你的令牌，把 archive.tar.gz 换成打包好的文件。服务器会回复一行文字，其中有你的提交编号。"};
        case get_curl_windows: return {"curl.exe alone (Windows)", "只用 curl.exe（Windows）"};
        case get_curl_windows_hint:
            return {"The same on Windows 10 and later. Write curl.exe, not curl: in PowerShell that can be another command.",
                    "Windows 10 及以上同理。请写 curl.exe 而不是 curl，因为在 PowerShell 中 curl 可能是另一个命令。"};
        case token_in_address:
            return {"A token must not be part of an address, because addresses are remembered in many places. Type it into the "
                    "form, and ask your course staff for a new token if the address may have been seen by others.",
                    "令牌不能写在网址里，因为网址会被很多地方记录下来。请在下面的表单中输入；如果该网址可能已被他人看到，请向老师或助教申请新的令牌。"};
        case modules_title: return {"Your modules", "你的作业"};
        case modules_lead: return {"Choose what you want to hand in or look at.", "请选择要提交或查看的作业。"};
        case modules_none:
            return {"There is nothing to hand in yet. Come back later, or ask your course staff when the first module opens.",
                    "目前还没有可以提交的作业。请稍后再来，或向老师、助教询问第一个作业何时开放。"};
        case module_open: return {"Open {0}", "打开 {0}"};

        case not_found_title: return {"There is no such page", "没有这个页面"};
        case not_found:
            return {"The link is incomplete, has been replaced, or belongs to a module that is no longer shown. Copy the whole link "
                    "again, or open your page with your token.",
                    "链接不完整、已被更换，或者对应的作业已不再显示。请重新完整地复制链接，或用令牌打开你的页面。"};
        case go_home: return {"Open my page with my token", "用令牌打开我的页面"};
        case refused_title: return {"Not accepted", "未被接收"};
        case refused_back: return {"Back to the page of this module", "返回本作业的页面"};
        case trouble_title: return {"This page cannot be shown right now", "暂时无法显示此页面"};
        case trouble_busy:
            return {"Too many pages are being asked for at this moment. What you handed in is safe; load this page again in a few "
                    "seconds.",
                    "此刻访问的人太多。你提交的作业已安全保存，请过几秒再刷新本页。"};
        case trouble_internal:
            return {"Something failed on our side. What you handed in is safe; load this page again, and if that does not help tell "
                    "your course staff this number: {0}.",
                    "服务器出了问题。你提交的作业已安全保存，请刷新本页；如果仍然不行，请把这个编号告诉老师或助教：{0}。"};

        case no_such_route: return {"There is nothing at this address.", "这个地址没有任何内容。"};
        case no_such_route_cure: return {"Compare it with the API's documentation.", "请与 API 文档核对地址。"};
        case no_such_submission: return {"There is no submission of this id among yours.", "你的提交中没有这个编号。"};
        case no_such_submission_cure:
            return {"Compare the id with the one in your receipt, and use the token of the course it was handed in for.",
                    "请与回执中的编号核对，并使用提交时所属课程的令牌。"};
        case no_result_yet: return {"This submission has no result yet.", "这次提交还没有结果。"};
        case no_result_yet_cure: return {"Ask for the submission itself: it says why it waits.", "请查询这次提交本身，其中会说明它在等什么。"};
        case secret_in_query:
            return {"A token or key must not stand in an address, where logs and histories keep it.",
                    "令牌或密钥不能写在网址里，否则会留在日志和历史记录中。"};
        case secret_in_query_cure:
            return {"Send the header 'Authorization: Bearer TOKEN' instead.", "请改用请求头“Authorization: Bearer TOKEN”发送。"};
        case token_in_header_cure:
            return {"Send the header 'Authorization: Bearer TOKEN' with your token.", "请用请求头“Authorization: Bearer TOKEN”发送你的令牌。"};

        case score_title: return {"Your score", "你的得分"};
        case score_none: return {"No score yet", "暂无得分"};
        case score_from: return {"from submission {0}", "来自提交 {0}"};
        case score_pending: return {"A newer submission is on its way.", "还有更新的提交正在处理。"};
        case module_facts: return {"Dates and rules", "时间与规则"};
        case opens_label: return {"Opens", "开放时间"};
        case due_label: return {"Due", "截止时间"};
        case due_extended: return {"Your own due date", "你的截止时间（已延长）"};
        case closes_label: return {"Closes", "关闭时间"};
        case no_deadline: return {"no deadline", "没有截止时间"};
        case time_in_zone: return {"{0} ({1})", "{0}（{1}）"};
        case used_label: return {"Submissions used", "已用提交次数"};
        case used_of: return {"{0} of {1}", "{0} / {1}"};
        case used_any: return {"{0}, no limit", "{0}，不限次数"};
        case counts_label: return {"What counts", "计分方式"};
        case counts_last: return {"the last submission", "以最后一次提交为准"};
        case counts_best: return {"the best submission", "以得分最高的提交为准"};
        case counts_last_on_time: return {"the last submission before the deadline", "以截止前最后一次提交为准"};
        case contact_label: return {"Questions", "有问题请联系"};
        case late_label: return {"Handed in late", "迟交"};
        case late_takes:
            return {"{0} % of the full score for each day begun after the due date, {1} % at most",
                    "截止后每开始一天扣满分的 {0}%，最多扣 {1}%"};
        case late_takes_nothing: return {"costs nothing, and is marked", "不扣分，但会标注"};
        case late_grace: return {"{0}; nothing within the first {1}", "{0}；截止后 {1}之内不扣分"};
        case pass_label: return {"To pass", "及格要求"};
        case pass_from: return {"{0} points or more", "不低于 {0} 分"};
        case pass_all: return {"the full score", "满分"};
        case read_only_link:
            return {"The link of this page only shows results; nobody can hand in with it.",
                    "本页链接只能查看结果，不能用来提交。"};

        case upload_title: return {"Hand in", "提交作业"};
        case upload_file: return {"Archive file", "压缩包文件"};
        case upload_file_hint: return {"At most {0}; accepted: {1}.", "不超过 {0}；可用格式：{1}。"};
        case upload_send: return {"Hand in", "提交"};
        case upload_not_open: return {"This module takes submissions from {0}.", "本作业从 {0} 起接受提交。"};
        case upload_closed:
            return {"This module has not taken submissions since {0}. If you should still be able to hand in, ask your course staff.",
                    "本作业已于 {0} 停止接受提交。如果你认为自己仍可提交，请联系老师或助教。"};
        case upload_another: return {"Hand in another version", "再提交一个版本"};
        case reloading: return {"This page reloads by itself until the result is there.", "结果出来之前，本页会自动刷新。"};
        case reloading_stopped:
            return {"This page does not reload while you hand in, so that what you type stays.", "为保留你填写的内容，本页已暂停自动刷新。"};
        case reload_resume: return {"Follow the result instead", "改为自动刷新结果"};

        case own_time: return {"({0} your time)", "（你的当地时间 {0}）"};
        case sending_percent: return {"Sending: {0} %", "正在上传：{0}%"};
        case sending_checked: return {"All sent. The archive is being checked and stored.", "已全部上传，正在检查并保存压缩包。"};
        case sending_failed:
            return {"The connection broke before the server answered. Look at the list below: if your submission is not there, send it again.",
                    "服务器答复之前连接中断了。请查看下面的提交记录；如果没有这次提交，请重新提交。"};

        case received_notice:
            return {"Received {0} at {1}. It is stored and cannot get lost.", "已于 {1} 收到提交 {0}，已可靠保存，不会丢失。"};
        case names_converted:
            return {"Names in the archive that were not in UTF-8 and have been converted from GB18030: {0}.",
                    "压缩包中有 {0} 个文件名不是 UTF-8，已从 GB18030 转换。"};
        case receipt_link: return {"Receipt", "回执"};
        case receipt_hint:
            return {"Signed proof of what arrived and when. Keep it if you want to be sure.",
                    "带签名的凭证，证明收到了什么、何时收到。想更放心的话，请保存一份。"};
        case submissions_title: return {"Submissions", "提交记录"};
        case submissions_none: return {"Nothing has been handed in yet.", "还没有提交记录。"};
        case submissions_older:
            return {"Only the newest {0} {0:submission is|submissions are} listed here; older ones are kept.", "这里只列出最近 {0} 次提交，更早的提交仍然保存着。"};
        case received_at: return {"Received {0}", "收到时间 {0}"};
        case committed_at: return {"Committed {0}, which is the time that counts", "承诺时间 {0}（以此时间为准）"};
        case commitments_open:
            return {"You have already announced {0} {0:archive|archives} in this module whose bytes have not come, and more cannot be announced",
                    "你在本作业中已预先登记 {0} 个压缩包，但内容都还没有到达，不能再登记更多"};
        case commitments_too_large: return {"What announces an archive is at most {0} long", "预先登记的内容最长为 {0}"};
        case commitments_form:
            return {"Send POST with a JSON object of course, module, size and sha256, and the token in the header Authorization.",
                    "请用 POST 发送含有 course、module、size、sha256 的 JSON 对象，并把 token 放在请求头 Authorization 中。"};
        case commitments_cure:
            return {"Send the bytes of one of them, or wait until the first of them lapses; an upload needs no announcement.",
                    "请上传其中一个的内容，或等最早的一个失效；不登记也可以直接提交。"};
        case counts_mark: return {"counts", "计入成绩"};
        case late_mark: return {"late", "逾期"};
        case late_cost:
            return {"It came after the due date: {0} {0:point is|points are} taken off. Without that it would be {1}.",
                    "提交时间晚于截止时间，扣 {0} 分；扣分前为 {1} 分。"};
        case late_free: return {"It came after the due date.", "提交时间晚于截止时间。"};
        case revision_old:
            return {"Graded with revision {0} of the module; the current one is {1}.", "按本作业的第 {0} 版评分，当前为第 {1} 版。"};
        case waits_because: return {"Why it waits", "等待原因"};
        case waits_since: return {"since {0}", "自 {0} 起"};
        case position: return {"place {0} in line", "排在第 {0} 位"};
        case expected_start: return {"expected to start about {0}", "预计约于 {0} 开始"};
        case expected_unknown:
            return {"when it will start is not known yet, for too few jobs have ended to tell by",
                    "何时开始尚不可知，因为已结束的评测还太少，不足以推算"};
        case running_now: return {"It is being run and graded now.", "正在运行和评分。"};
        case running_stage: return {"Stage: {0}", "当前阶段：{0}"};
        case running_tests: return {"{0} of {1} {1:test|tests} finished", "已完成 {0} / {1} 个测试"};
        case running_waits:
            return {"It waits a moment: what took too long while the machine was busy is run once more, alone.",
                    "稍等片刻：机器繁忙时超时的程序正在单独重新运行一次。"};
        case again:
            return {"It is being graded again. This result stays until the new one is there.", "正在重新评分。在新结果出来之前，此结果保持有效。"};
        case again_mark: return {"being graded again", "重新评分中"};
        case partial_results:
            return {"A fault of ours ended the evaluation early. These tests had finished by then; they do not count.",
                    "评测因我们的故障提前结束。以下测试当时已经完成，但不计入成绩。"};
        case superseded_by:
            return {"A newer submission of yours, {0}, took its place in line before it ran. Its receipt stays valid, and it costs "
                    "you nothing.",
                    "在它运行之前，你更新的提交 {0} 接替了它的排队位置。它的回执仍然有效，也不占用提交次数。"};
        case cancelled:
            return {"It was taken out of the line and will not be graded; ask your course staff if you did not expect that.",
                    "它已被移出队列，不会评分；如果你对此有疑问，请联系老师或助教。"};
        case passed_by_points:
            return {"Enough points to pass, but not everything that was asked for works; the results below say what is missing.",
                    "分数已达到及格要求，但并非全部符合要求；缺少的部分见下面的各项结果。"};
        case show_details: return {"Details", "详情"};
        case score_of: return {"{0} / {1}", "{0} / {1}"};

        case report_title: return {"Stages and tests", "各阶段与测试"};
        case stages_title: return {"Stages", "各阶段"};
        case stage_column: return {"Stage", "阶段"};
        case result_column: return {"Result", "结果"};
        case points_column: return {"Points", "得分"};
        case cpu_column: return {"CPU time", "CPU 时间"};
        case wall_column: return {"Duration", "用时"};
        case memory_column: return {"Memory", "内存"};
        case tests_title: return {"Tests in stage {0}", "{0} 阶段的测试"};
        case tests_passed: return {"{0} of {1} passed", "通过 {0} / {1}"};
        case tests_left_out:
            return {"{0} more {0:test is|tests are} not listed here; the report has them all.", "另有 {0} 个测试未在此列出，完整结果见报告。"};
        case tests_not_kept:
            return {"{0} single {0:result was|results were} too long to be kept; {0:it is|they are} in the score.", "另有 {0} 个单项结果因过长未保留，但已计入得分。"};
        case test_column: return {"Test", "测试"};
        case test_hidden: return {"hidden", "隐藏"};
        case test_after_due: return {"shown after the deadline", "截止后公开"};
        case tests_hidden_note:
            return {"Of hidden tests only the result is shown, not the input, the output or what was expected.",
                    "隐藏的测试只显示结果，不显示输入、输出和期望输出。"};
        case tests_after_due_note:
            return {"Input, output and what was expected of some tests are shown once the deadline has passed.",
                    "部分测试的输入、输出和期望输出在截止之后公开。"};
        case machine_busy: return {"machine was busy", "机器繁忙"};
        case machine_busy_note:
            return {"The machine was busy while what is marked so ran: its times say little.",
                    "带此标记的项目运行时机器繁忙，测得的时间参考意义不大。"};
        case memory_full: return {"memory was full", "内存已满"};
        case memory_full_note:
            return {
                "What is marked so was at its memory limit and waited for what had been thrown out of memory to be "
                "read in again and again. It is slow for that, not by chance.",
                "带此标记的项目已达内存上限，被换出的内容需要反复重新读取，等待占去了大量时间。变慢的原因在此，并非偶然"
                "。"};
        case first_try:
            return {
                "The first try ended after {1} ({0}) while the machine was busy. It was run once more, alone, and that "
                "is what counts.",
                "第一次运行时机器繁忙，{1} 后结束（{0}）。随后单独重新运行了一次，以该次结果为准。"};
        case exit_code: return {"exit code {0}", "退出码 {0}"};
        case signal: return {"signal {0}", "信号 {0}"};
        case input: return {"Input", "输入"};
        case expected: return {"Expected", "期望输出"};
        case got: return {"Got", "实际输出"};
        case errors: return {"Errors (stderr)", "错误输出（stderr）"};
        case difference_text: return {"“{0}”", "“{0}”"};
        case difference_line_end: return {"the end of the line", "行尾"};
        case difference_end: return {"the end", "输出结尾"};
        case difference_in_file: return {"file {0}: {1}", "文件 {0}：{1}"};
        case nothing: return {"(empty)", "（空）"};
        case log_title: return {"Log", "日志"};
        case log_output: return {"{0}: output", "{0}：标准输出"};
        case log_errors: return {"{0}: errors (stderr)", "{0}：错误输出（stderr）"};
        case log_dropped: return {"{0} more were printed and not kept.", "另有 {0} 的输出未保留。"};
        case log_cut: return {"… {0} are left out here …", "…… 此处省略 {0} ……"};
        case no_log: return {"Nothing was printed.", "没有任何输出。"};
        case log_stage: return {"{0}: {1}", "{0}：{1}"};
        case log_memory_full:
            return {
                "for {0} it waited for memory: at its limit, what it needs is thrown out and read in again and again",
                "其中 {0} 在等待内存：已达上限，所需内容被反复换出又重新读取"};
        case log_busy: return {"the machine was busy while this ran: its times say little", "运行时机器繁忙，测得的时间参考意义不大"};
        case log_test: return {"test {0}: {1}, {2}", "测试 {0}：{1}，{2}"};
        case log_message: return {"message", "评分说明"};
        case log_test_errors: return {"stderr of test {0}", "测试 {0} 的 stderr"};
    }
    return {"", ""};
}

Text text_of(model::Refusal refusal) {
    using enum model::Refusal;
    switch (refusal) {
        case method:
            return {"Only POST works here; send multipart/form-data with the fields token, course, module and file.",
                    "这里只接受 POST 请求；请用 multipart/form-data 发送 token、course、module、file 四个字段。"};
        case missing_field:
            return {"The form is incomplete or cannot be read; send the fields token, course, module and file once each as "
                    "multipart/form-data.",
                    "表单不完整或无法识别；请用 multipart/form-data 把 token、course、module、file 四个字段各发送一次。"};
        case bad_token:
            return {"This token is not known here; check it for typing mistakes, or ask your course staff for yours.",
                    "令牌无效；请检查是否输错，或向老师、助教索取你的令牌。"};
        case wrong_course:
            return {"This token belongs to another course; check the course name, or use the token you were given for this course.",
                    "该令牌属于另一门课程；请检查课程名，或改用这门课程发给你的令牌。"};
        case unknown_course:
            return {"There is no course of this name here; compare it letter by letter with what your course staff gave you.",
                    "没有这个名字的课程；请与老师、助教给出的课程名逐字核对（区分大小写）。"};
        case unknown_module:
            return {"This course has no module of this name; compare it letter by letter with the assignment.",
                    "这门课程没有这个名字的作业；请与作业说明中的名字逐字核对（区分大小写）。"};
        case not_open:
            return {"This module does not take submissions yet; hand in again once it has opened, the time is on your page.",
                    "本作业尚未开放提交；请在开放之后再提交，开放时间见你的页面。"};
        case closed:
            return {"This module no longer takes submissions; if you should still be able to hand in, ask your course staff.",
                    "本作业已停止接受提交；如果你认为自己仍可提交，请联系老师或助教。"};
        case too_large:
            return {"The file is larger than this module accepts; leave out build results and other files that are not asked for, "
                    "pack it again and send it.",
                    "文件超过本作业的大小上限；请去掉编译产物和其他不需要的文件，重新打包后再提交。"};
        case empty:
            return {"The file is empty; check that packing it worked, then send it again.",
                    "文件是空的；请检查打包是否成功，然后重新提交。"};
        case not_an_archive:
            return {"This is not an archive, whatever its name says; pack your folder as zip, tar.gz or another format your page lists, and "
                    "send that file.",
                    "这不是压缩包（以内容而不是文件名为准）；请把你的目录打包成 zip、tar.gz 或页面上列出的其他格式后再提交。"};
        case format:
            return {"This kind of archive, or a kind of entry in it, is not accepted; pack ordinary files and folders as zip, "
                    "tar.gz or another format your page lists, and send that file.",
                    "不接受这种压缩格式，或其中含有不支持的条目类型；请只把普通文件和目录打包成 zip、tar.gz 或页面上列出的其他格式后再提交。"};
        case damaged:
            return {"The archive is damaged or cut off: a checksum, a length or its end mark is wrong; pack it again and send the "
                    "new file.",
                    "压缩包已损坏或不完整（校验和、长度或结束标记不对）；请重新打包，并提交新的文件。"};
        case unsafe:
            return {"The archive holds a name or a link that cannot be unpacked safely; use plain relative names that differ in more "
                    "than upper and lower case, and links that stay inside the folder.",
                    "压缩包中有无法安全解包的文件名或链接；请使用普通的相对路径，文件名不能只有大小写之别，链接不能指向目录之外。"};
        case too_many_entries:
            return {"The archive holds more files and folders than this module accepts; leave out build results and other files that "
                    "are not asked for.",
                    "压缩包中的文件和目录数量超过本作业的上限；请去掉编译产物和其他不需要的文件。"};
        case unpacks_too_large:
            return {"The archive unpacks to more than this module accepts; leave out build results, data and other files that are "
                    "not asked for.",
                    "压缩包解开后的大小超过本作业的上限；请去掉编译产物、数据和其他不需要的文件。"};
        case required_missing:
            return {"A file that this module asks for is not in the archive; compare it with the assignment, and pack the folder "
                    "that holds that file.",
                    "压缩包里缺少本作业要求的文件；请对照作业说明检查，并打包该文件所在的目录。"};
        case digest_mismatch:
            return {"The bytes that arrived are not the ones that were announced; send the file again, with a new Idempotency-Key if "
                    "it changed.",
                    "收到的内容与事先声明的不一致；请重新提交，如果文件已经改动，请换一个 Idempotency-Key。"};
        case rate:
            return {"You are handing in faster than this module allows; wait a moment, then send it again.",
                    "提交过于频繁；请稍等片刻再提交。"};
        case busy:
            return {"The server cannot take more uploads right now, and yours was not stored; send it again in a few seconds.",
                    "服务器此刻无法接收更多提交，你的这次提交没有保存；请过几秒再提交。"};
        case disk_full:
            return {"The server has no room left to store your work safely, and yours was not stored; tell your course staff, and "
                    "send it again later.",
                    "服务器空间不足，无法可靠保存，你的这次提交没有保存；请告知老师或助教，稍后再提交。"};
        case shutting_down:
            return {"The server is about to restart, and your upload was not stored; send it again in a minute.",
                    "服务器即将重启，你的这次提交没有保存；请在一分钟后再提交。"};
        case internal:
            return {"Something failed on our side, and your upload was not stored; send it again, and tell your course staff if it "
                    "happens twice.",
                    "服务器出了问题，你的这次提交没有保存；请重新提交，如果再次出现，请告知老师或助教。"};
    }
    return {"", ""};
}

Text text_of(model::Reason reason) {
    using enum model::Reason;
    switch (reason) {
        case slot:
            return {"All places for running are taken; yours starts as soon as its turn comes, and you need not do anything.",
                    "所有运行位置都在使用中；轮到它时会自动开始，你无需做任何事。"};
        case fair_share:
            return {"It is not its turn yet, because another submission of yours is running or others have waited longer; it starts "
                    "by itself.",
                    "还没轮到它：你的另一个提交正在运行，或者其他人等得更久；轮到后会自动开始。"};
        case pressure:
            return {"The machine is under heavy load, so nothing new is started; yours starts by itself when the load falls.",
                    "机器负载很高，暂不开始新的运行；负载下降后会自动开始。"};
        case disk_reserve:
            return {"The server's disk has too little room to start it; what you handed in is safe, and it starts by itself once "
                    "others have ended or staff have made room.",
                    "服务器磁盘空间不足，暂时无法开始；你的提交已安全保存，其他任务结束或工作人员清理空间后会自动开始。"};
        case image:
            return {"The environment this module runs in is not there yet; yours starts by itself as soon as staff have prepared it.",
                    "本作业的运行环境尚未就绪；工作人员准备好后会自动开始。"};
        case runner_lost:
            return {"The machine that ran it stopped answering, so it will be run again from the start; this does not count against "
                    "you.",
                    "运行它的机器失去了响应，因此会从头重新运行；这不会对你有任何影响。"};
        case retry:
            return {"Something failed on our side while it ran, so it will be run again; this does not count against you.",
                    "运行过程中服务器一侧出了问题，因此会重新运行；这不会对你有任何影响。"};
        case held_by_staff:
            return {"Your course staff are holding it back; ask them if you want to know why.",
                    "老师或助教暂停了它的评分；如需了解原因，请联系他们。"};
        case module_paused:
            return {"Your course staff have paused this module; it starts by itself when they resume it.",
                    "老师或助教暂停了本作业的评分；恢复后会自动开始。"};
        case grader_broken:
            return {"The grader of this module failed several times in a row, so it is paused until staff have repaired it; this is "
                    "not the fault of your work.",
                    "本作业的评分程序连续多次出错，已暂停，等待工作人员修复；这不是你的作业的问题。"};
        case submissions_used:
            return {"You have used all submissions this module grades; this one is kept with its receipt, and only your course staff "
                    "can have it graded.",
                    "你已用完本作业的评分次数；这次提交已保存并有回执，但需要老师或助教同意才会评分。"};
        case resources:
            return {"This module asks for more than any machine here has, which is a mistake in the module; tell your course staff.",
                    "本作业要求的资源超过了现有的任何机器，这是作业设置的错误；请告知老师或助教。"};
        case no_runner:
            return {"No machine is ready to run it at the moment; it is kept safely and starts by itself when one is.",
                    "目前没有可以运行它的机器；它已安全保存，机器就绪后会自动开始。"};
        case drain:
            return {"The server is about to restart; it is kept safely and starts by itself afterwards.",
                    "服务器即将重启；它已安全保存，重启后会自动开始。"};
    }
    return {"", ""};
}

Text text_of(model::Verdict verdict) {
    using enum model::Verdict;
    switch (verdict) {
        case system_fault:
            return {"Something failed on our side and not in your work; staff have been told, and it costs you nothing.",
                    "这是服务器的故障，不是你的作业的问题；已通知工作人员，对你没有任何影响。"};
        case grader_fault:
            return {"The grader of this module failed, not your work; staff have been told, and it costs you nothing.",
                    "本作业的评分程序出错，不是你的作业的问题；已通知工作人员，对你没有任何影响。"};
        case memory_limit:
            return {"Stopped because it needed more memory than allowed; look for data that grows without end.",
                    "占用的内存超过上限，已被终止；请检查是否有不断增长的数据。"};
        case time_limit:
            return {"Stopped at its limit of CPU time; look for an endless loop or a slow way to compute.",
                    "CPU 时间超过上限，已被终止；请检查是否有死循环，或算法太慢。"};
        case wall_limit:
            return {"Stopped because it took too long without computing much; look for something it waits for, such as input that "
                    "never comes.",
                    "运行的总时间超过上限，已被终止；请检查程序是否在等待什么，例如永远不会到来的输入。"};
        case output_limit:
            return {"Stopped because it printed more than allowed; look for output inside an endless loop.",
                    "输出超过上限，已被终止；请检查是否在死循环里打印。"};
        case io_limit:
            return {"Stopped because it read more data than allowed; read each file once and keep what you need.",
                    "读取的数据量超过上限，已被终止；请每个文件只读一次，并保存需要的内容。"};
        case forbidden:
            return {"Stopped because it made a system call that is not allowed here.", "调用了此处不允许的系统调用，已被终止。"};
        case crashed:
            return {"Crashed: it was ended by a signal, such as a bad memory access or a failed assertion.",
                    "程序崩溃：被信号终止，例如非法内存访问或断言失败。"};
        case process_limit:
            return {"Failed after it tried to start more processes or threads than allowed.", "创建的进程或线程超过上限后运行失败。"};
        case disk_limit:
            return {"Failed after it filled the disk space it may use.", "写满了允许使用的磁盘空间后运行失败。"};
        case build_failed:
            return {"Could not be built, so nothing was tested; the log shows what the build said.",
                    "构建失败，因此没有进行测试；具体信息见日志。"};
        case failed:
            return {"Ran to its end, but the result is not what was asked for.", "运行结束，但结果不符合要求。"};
        case passed: return {"Everything that was asked for works.", "全部符合要求。"};
    }
    return {"", ""};
}

Text text_of(model::DifferenceKind kind) {
    using enum model::DifferenceKind;
    switch (kind) {
        case character: return {"line {0}, column {1}: expected {2}, got {3}", "第 {0} 行第 {1} 列：期望为{2}，实际为{3}"};
        case word:
            return {"word {1} (line {0} of what was expected): expected {2}, got {3}",
                    "第 {1} 个词（期望输出的第 {0} 行）：期望为{2}，实际为{3}"};
        case newline_missing: return {"the newline at the end is missing", "末尾缺少一个换行符"};
        case newline_extra: return {"there is a newline too many at the end", "末尾多了一个换行符"};
        case exit_code: return {"expected exit code {2}, got {3}", "期望退出码为 {2}，实际为 {3}"};
        case number:
            return {"the number at word {1} (line {0} of what was expected) is not close enough: expected {2}, got {3}",
                    "第 {1} 个词（期望输出的第 {0} 行）的数值误差过大：期望为{2}，实际为{3}"};
        case pattern: return {"it does not match the pattern {2}", "内容与模式{2}不匹配"};
        case file_missing: return {"there is no such file", "没有这个文件"};
    }
    return {"", ""};
}

Text text_of(model::WaitDetailKind kind) {
    using enum model::WaitDetailKind;
    switch (kind) {
        case slots_busy: return {"{0} of {1} {1:slot|slots} {0:is|are} busy", "{1} 个运行位置中有 {0} 个正在使用"};
        case lone_job: return {"a job that has to run alone is running", "有一个必须单独运行的任务正在运行"};
        case about_to_start: return {"a slot is free and about to take it", "已有空闲的运行位置，即将开始"};
        case others_first: return {"those before it start first", "排在前面的会先开始"};
        case far_back: return {"behind at least {0} {0:other|others}", "前面至少有 {0} 个"};
        case own_running: return {"another submission of the same participant is running", "同一参与者的另一个提交正在运行"};
        case own_first:
            return {"{0} of the same participant {0:starts|start} first, and others get their turn between them",
                    "同一参与者还有 {0} 个提交排在前面，其间轮到其他人"};
        case live_first: return {"judged again: one slot stays free for new submissions", "重新评分：保留一个运行位置给新的提交"};
        case memory_short: return {"memory: {4} of {5} are available", "内存：{5} 中仅有 {4} 可用"};
        case memory_promised:
            return {"{4} of {5} of memory are promised to those that run, and it would not fit beside them", "可用于运行的 {5} 内存中已有 {4} 分配给正在运行的任务，余下的不够它使用"};
        case disk_slow: return {"disk: a small write takes {3} to be safe", "磁盘：一次小的写入需要 {3}才能落盘"};
        case ended_for_memory:
            return {"memory ran out while it ran, so it was ended; it is run once more, alone ({2})", "运行时内存即将耗尽，因此被终止；将单独重新运行一次（{2}）"};
        case disk_low:
            return {"{4} are free on the server's disk, {5} are needed", "服务器磁盘可用空间为 {4}，需要 {5}"};
        case disk_names_low:
            return {"the server's disk has room for {0} more {0:file|files}, {1} {1:is|are} needed", "服务器磁盘还能新建 {0} 个文件，需要 {1} 个"};
        case scratch_short:
            return {"{5} are needed for scratch on the server's disk, by it and those that run; {4} may be taken", "它与正在运行的任务的临时空间需要服务器磁盘 {5}，目前可用 {4}"};
        case store_read_only:
            return {"nothing can be recorded at the moment: {2}", "目前无法写入记录：{2}"};
        case cut_backoff: return {"cut by server stops; starts again in {3}", "曾因服务器停止而中断，{3}后重新开始"};
        case cut_alone:
            return {"cut by many server stops; waits until it can run alone", "曾多次因服务器停止而中断，等到可以单独运行时再开始"};
        case fault: return {"what failed: {2}", "故障内容：{2}"};
        case session_ended: return {"the connection to the runner began anew", "与评测进程的连接已重新建立"};
        case no_heartbeat: return {"the runner did not confirm in time that it still runs", "评测进程没有按时确认仍在运行它"};
        case runner_ended: return {"the runner process ended", "评测进程已退出"};
        case helper_ended: return {"the sandbox helper has ended; restart the server", "沙箱的特权辅助进程已退出，需要重启服务器"};
        case not_root:
            return {"the server was not started as root, so it can make no sandboxes", "服务器不是以 root 身份启动的，无法创建沙箱"};
        case host_lacks: return {"this host lacks: {2}", "这台主机缺少：{2}"};
        case runner_not_started: return {"the runner could not be started: {2}", "无法启动评测进程：{2}"};
        case none_connected: return {"no runner is connected", "没有已连接的评测进程"};
        case no_slots: return {"the runner has no slots", "评测进程没有运行位置"};
    }
    return {"", ""};
}

Text name_of(model::State state) {
    using enum model::State;
    switch (state) {
        case queued: return {"waiting", "等待中"};
        case running: return {"running", "运行中"};
        case graded: return {"graded", "已评分"};
        case held: return {"held", "已暂停"};
        case cancelled: return {"cancelled", "已取消"};
        case superseded: return {"replaced", "已被替换"};
    }
    return {"", ""};
}

Text name_of(model::Verdict verdict) {
    using enum model::Verdict;
    switch (verdict) {
        case system_fault: return {"fault of the server", "服务器故障"};
        case grader_fault: return {"fault of the grader", "评分程序故障"};
        case memory_limit: return {"memory limit", "内存超限"};
        case time_limit: return {"time limit", "时间超限"};
        case wall_limit: return {"duration limit", "总时长超限"};
        case output_limit: return {"output limit", "输出超限"};
        case io_limit: return {"reading limit", "读取超限"};
        case forbidden: return {"forbidden call", "禁止的调用"};
        case crashed: return {"crashed", "崩溃"};
        case process_limit: return {"process limit", "进程数超限"};
        case disk_limit: return {"disk limit", "磁盘超限"};
        case build_failed: return {"build failed", "构建失败"};
        case failed: return {"failed", "未通过"};
        case passed: return {"passed", "通过"};
    }
    return {"", ""};
}

}  // namespace assay::wording
