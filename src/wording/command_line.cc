#include "wording/command_line.hh"

#include "wording/text.hh"

namespace assay::wording {
namespace {

Text text_of(Told told) {
    using enum Told;
    switch (told) {
        case left_out: return {"left out: {0} ({1})", "未打包：{0}（{1}）"};
        case packed: return {"{0}: {1}, {2} {2:entry|entries} of {3}, sha256 {4}", "{0}：{1}，共 {2} 项，内容 {3}，sha256 {4}"};
        case sound: return {"{0}: sound {1}, {2} {2:entry|entries} of {3}", "{0}：完好的 {1}，共 {2} 项，内容 {3}"};
        case stripped: return {", in the folder '{0}', which is stripped", "，都在目录“{0}”中，解包时去掉这一层"};
        case converted: return {"names converted from {1} to UTF-8: {0}", "已从 {1} 转换为 UTF-8 的文件名：{0} 个"};
        case refused_file: return {"{0}: refused ({1}): {2}", "{0}：不会被接收（{1}）：{2}"};
        case file_too_large:
            return {"the file is larger than the module takes: limit {0} {0:byte|bytes}, {1} {1:byte|bytes} found", "文件超过本作业的大小上限：上限 {0} 字节，实际 {1} 字节"};
        case nothing_there:
            return {"there is no file or folder '{0}'; name what is to be handed in", "没有名为“{0}”的文件或目录；请指定要提交的内容"};
        case largest_files: return {". The largest of it: {0}", "。其中最大的文件：{0}"};
        case closed_now:
            return {"the module does not take submissions now (opens {0}, closes {1})", "本作业现在不接受提交（开放：{0}，截止：{1}）"};
        case opens_at_once: return {"at once", "随时"};
        case closes_never: return {"never", "不截止"};
        case packing: return {"packing {0} of {1} ({2} %)", "正在打包 {0}，共 {1}（{2} %）"};
        case packing_fast:
            return {"packing {0} of {1} ({2} %), {3} a second, {4} left", "正在打包 {0}，共 {1}（{2} %），每秒 {3}，还需 {4}"};
        case sending: return {"sending {0} of {1} ({2} %)", "正在发送 {0}，共 {1}（{2} %）"};
        case sending_fast:
            return {"sending {0} of {1} ({2} %), {3} a second, {4} left",
                    "正在发送 {0}，共 {1}（{2} %），每秒 {3}，还需 {4}"};
        case received: return {"Received {0} at {1}", "已收到 {0}，时间 {1}"};
        case received_before: return {"Received {0} at {1} (as before)", "已收到 {0}，时间 {1}（此前已提交过）"};
        case interrupted: return {"interrupted", "已中断"};
        case no_server:
            return {"no server is named; use --server URL, ASSAY_SERVER, or server = \"URL\" in {0}",
                    "没有指定服务器；请用 --server URL、ASSAY_SERVER，或在 {0} 中写 server = \"URL\""};
        case no_module:
            return {"name the course and the module: --course C --module M, or in .assay.toml",
                    "请指定课程和作业：--course C --module M，或写在 .assay.toml 中"};
        case token_prompt: return {"token: ", "令牌（token）："};
        case no_token: return {"no token was given; it is read from standard input", "没有输入令牌；令牌从标准输入读取"};
        case token_kept: return {"the token is known at {0} and kept in {1}", "{0} 认识该令牌，已保存在 {1}"};
        case plan_folder:
            return {"to hand in: {0} {0:entry|entries} of {1}, packed {2} ({3})", "将提交：{0} 项，内容 {1}，打包后 {2}（{3}）"};
        case plan_file:
            return {"to hand in: an archive of {2} ({3}), with {0} {0:entry|entries} of {1}",
                    "将提交：{2} 的压缩包（{3}），含 {0} 项，内容 {1}"};
        case plan_to: return {"to: {0}/{1} at {2}", "提交到：{0}/{1}，服务器 {2}"};
        case plan_limits:
            return {"limits: {0} packed, {1} unpacked, {2} {2:entry|entries}; {3}",
                    "上限：打包后 {0}，解包后 {1}，{2} 项；格式 {3}"};
        case plan_required: return {"must have: {0}", "必须包含：{0}"};
        case plan_due: return {"due: {0} ({1}), {2} left", "截止：{0}（{1}），还剩 {2}"};
        case plan_was_due: return {"due: {0} ({1}), which is over", "截止：{0}（{1}），已过"};
        case plan_closes: return {"closes: {0} ({1}), {2} left", "停止接收：{0}（{1}），还剩 {2}"};
        case plan_no_deadline: return {"due: no deadline", "截止：没有期限"};
        case plan_goes: return {"goes:", "提交的内容："};
        case plan_largest: return {"largest:", "最大的文件："};
        case plan_stays: return {"stays: {0}", "不提交：{0} 项"};
        case plan_more: return {"and {0} more (--verbose lists all)", "另有 {0} 项（用 --verbose 列出全部）"};
        case stays_tool: return {"never part of a hand-in", "从不提交"};
        case stays_module: return {"the module ignores '{0}'", "本作业忽略“{0}”"};
        case nothing_sent: return {"nothing was sent", "没有发送任何内容"};
        case left_days: return {"{0} d {1} h", "{0} 天 {1} 小时"};
        case left_hours: return {"{0} h {1} min", "{0} 小时 {1} 分钟"};
        case left_minutes: return {"{0} min", "{0} 分钟"};
        case warning: return {"warning: {0}", "警告：{0}"};
        case crlf_script:
            return {
                "'{0}' begins with #! and has Windows line ends (CRLF): Linux will not find its interpreter. Save it "
                "with LF line ends, or: "
                "sed -i 's/\\r$//' FILE",
                "“{0}”以 #! 开头却使用 Windows 换行符（CRLF）：Linux 会找不到解释器。请以 LF 换行符保存，或运行：sed "
                "-i 's/\\r$//' 文件"};
        case crlf_makefile:
            return {
                "'{0}' has Windows line ends (CRLF): make takes the CR for part of names and commands. Save it with LF "
                "line ends, or: "
                "sed -i 's/\\r$//' FILE",
                "“{0}”使用 Windows 换行符（CRLF）：make 会把 CR 当作名称和命令的一部分。请以 LF "
                "换行符保存，或运行：sed -i 's/\\r$//' 文件"};
        case product:
            return {
                "'{0}' ({1}) looks like a build product; the line {2} in .gitignore or .assayignore leaves it behind",
                "“{0}”（{1}）像是构建产物；在 .gitignore 或 .assayignore 中写一行 {2} 即可不提交"};
        case products:
            return {
                "'{0}' and others, {3} files of {1}, look like build products; the line {2} in .gitignore or "
                ".assayignore leaves them behind",
                "“{0}”等 {3} 个文件（{1}）像是构建产物；在 .gitignore 或 .assayignore 中写一行 {2} 即可不提交"};
        case windows_name:
            return {
                "Windows cannot have a file of the name '{0}': whoever looks at it there will not see it; rename it if "
                "you can",
                "Windows 上不能有名为“{0}”的文件，在那里将无法查看；如有可能请改名"};
        case kept_back:
            return {"'{0}' stays behind by {1}, although the module asks for files of such a name",
                    "“{0}”因 {1} 不会提交，而本作业要求提供这类文件"};
        case kept_back_required:
            return {"'{0}', which the module requires as '{1}', stays behind by {2}:{3}: {4}",
                    "本作业要求提供“{1}”，而“{0}”因 {2}:{3}: {4} 不会提交"};
        case kept_back_cure:
            return {"Take that line out, write the line !{0} into .assayignore, or use --no-ignore.",
                    "请删去那一行，或在 .assayignore 中写一行 !{0}，或使用 --no-ignore。"};
        case root_below:
            return {"All of it is in the folder '{0}': hand in that one.",
                    "要求的文件都在目录“{0}”中：请提交那个目录。"};
        case root_above:
            return {"All of it is in the folder above: hand in that one (..).",
                    "要求的文件都在上一级目录中：请提交那个目录（..）。"};
        case no_plain_file:
            return {"'{0}' is neither a file nor a folder nor a link; take it away, or name it in .assayignore",
                    "“{0}”不是文件、目录或链接；请移走它，或写入 .assayignore"};
        case in_the_folder:
            return {"{0} lies in the folder that is packed; write it elsewhere", "{0} 位于要打包的目录中；请写到别处"};
        case not_whole:
            return {
                "the folder cannot be taken whole: {0}. Nothing is left out silently: mend that, or leave it behind by "
                "a line in .assayignore",
                "无法完整读取该目录：{0}。不会悄悄漏掉任何内容：请解决该问题，或在 .assayignore 中写一行将其排除"};
        case file_shrank:
            return {"'{0}' became shorter while it was read; tried {1} {1:time|times}", "“{0}”在读取过程中变短了，共尝试 {1} 次"};
        case file_grew:
            return {"'{0}' became longer while it was read; tried {1} {1:time|times}", "“{0}”在读取过程中变长了，共尝试 {1} 次"};
        case file_rewritten:
            return {"'{0}' was written to while it was read; tried {1} {1:time|times}", "“{0}”在读取过程中被改写，共尝试 {1} 次"};
        case file_written:
            return {"'{0}' is written to so often that no reading can be trusted; tried {1} {1:time|times}",
                    "“{0}”一直在被写入，{1} 次读取的内容都不可信"};
        case file_locked:
            return {"'{0}' is kept locked by another process; tried {1} {1:time|times}", "“{0}”被其他进程锁定，共尝试 {1} 次"};
        case file_denied: return {"'{0}' may not be read: {2}", "没有读取“{0}”的权限：{2}"};
        case file_vanished: return {"'{0}' is gone since the folder was listed", "“{0}”在列出目录之后消失了"};
        case file_unreadable: return {"'{0}' cannot be read, tried {1} {1:time|times}: {2}", "无法读取“{0}”，共尝试 {1} 次：{2}"};
        case file_no_file:
            return {"'{0}' is no longer the file that was listed", "“{0}”已不是列出目录时的那个文件"};
        case file_too_long: return {"'{0}' is larger than {2}", "“{0}”超过 {2}"};
        case file_written_by: return {"; open for writing in {0}", "；正在写入它的进程：{0}"};
        case file_held_by: return {"; open in {0}", "；打开了它的进程：{0}"};
        case file_holder_next: return {", ", "、"};
        case file_holder: return {"'{0}' (process {1})", "“{0}”（进程 {1}）"};
        case not_counted:
            return {"Nothing was accepted, and nothing counts as a submission.",
                    "没有任何内容被接收，也不计入提交次数。"};
        case perhaps_arrived:
            return {
                "It is not known whether it arrived. Hand it in again with --key {0}: the same key makes it one "
                "submission.",
                "不知道是否已送达。请用 --key {0} 再提交一次：同一个 key 只算一次提交。"};
        case pack_suffix:
            return {"{0}: name it .tar, .tar.gz, .tar.bz2, .tar.xz, .tar.zst or .zip",
                    "{0}：请以 .tar、.tar.gz、.tar.bz2、.tar.xz、.tar.zst 或 .zip 结尾命名"};
        case receipt_genuine:
            return {"genuine: {0} of {1} in {2}/{3}, {4} {4:byte|bytes}, received {5}",
                    "回执真实有效：{0}，{1} 提交到 {2}/{3}，{4} 字节，收到时间 {5}"};
        case commitment_genuine:
            return {"genuine commitment: {0} in {1}/{2}, {3} {3:byte|bytes}, announced {4}, to come by {5}",
                    "提交承诺真实有效：{0}，{1}/{2}，{3} 字节，登记时间 {4}，内容须在 {5} 之前到达"};
        case receipt_word: return {"receipt", "回执"};
        case commitment_word: return {"commitment", "提交承诺"};
        case proof_unreadable: return {"the {0} cannot be read: {1}", "无法解析{0}：{1}"};
        case proof_type: return {"the {0}'s type is not {1}", "{0}的类型不是 {1}"};
        case proof_text_missing: return {"the {0} has no text '{1}'", "{0}缺少文本字段“{1}”"};
        case proof_size_missing: return {"the {0} has no size", "{0}没有写明大小"};
        case proof_key_size: return {"the public key is not 32 bytes", "公钥不是 32 字节"};
        case proof_signature_unreadable:
            return {"the {0}'s signature is not base64 of 64 bytes", "{0}的签名不是 64 字节的 base64"};
        case proof_other_key: return {"the {0} was signed with another key ({1})", "{0}是用另一个密钥签署的（{1}）"};
        case proof_members_more: return {"the {0} has fields that no {0} has", "{0}含有不该有的字段"};
        case proof_signature_wrong: return {"the {0}'s signature does not fit its content", "{0}的签名与内容不符"};
        case receipt_other:
            return {"it is genuine, but about other bytes than {0}", "凭证真实有效，但与 {0} 的内容不符"};
        case receipt_server:
            return {"the key is that of the server it names, {0}", "所用公钥来自凭证中写明的服务器 {0}"};
        case receipt_key_hint:
            return {"the key is base64 of 32 bytes, or a file with it ({0})",
                    "公钥应为 32 字节的 base64，或含有它的文件（{0}）"};
        case receipt_no_keys: return {"these are no public keys of a server", "这不是服务器公钥的列表"};
        case receipt_key_missing:
            return {"it was signed with a key that is not among them ({0})", "签署凭证的公钥不在其中（{0}）"};
        case receipt_not_kept: return {"the receipt could not be kept: {0}", "无法保存回执：{0}"};
        case committed:
            return {"A deadline is near: the server has noted these bytes at {0}, and that time counts if they have all come by {1}.",
                    "截止时间临近：服务器已于 {0} 登记这些内容；只要在 {1} 之前全部到达，就以登记时间为准。"};
        case not_committed:
            return {"A deadline is near, and these bytes could not be announced ({0}): what counts is when they have come.",
                    "截止时间临近，但未能预先登记这些内容（{0}）：将以实际到达时间为准。"};
        case in_parts: return {"Uploading in parts instead.", "改为分块上传。"};
        case goes_on: return {"Going on with the upload that was begun before.", "继续之前未完成的上传。"};
        case goes_on_again:
            return {"What has arrived is kept for a day: hand the same in again, and only the rest is sent.",
                    "已送达的部分会保留一天：再次提交同样的内容，只会发送其余部分。"};
        case waits:
            return {"No progress for now, trying again by itself for up to {1}: {0}", "暂时没有进展，将自动重试，最长 {1}：{0}"};
        case answers_again: return {"The server answers again; the upload goes on at {0} of {1}.", "服务器恢复应答；从 {0} 处继续上传，共 {1}。"};
        case silent_connecting:
            return {"No connection to {0} has come about for {1} s; still trying. Is your network up, and the address right?",
                    "{1} 秒内未能连接到 {0}；仍在尝试。网络是否正常？地址是否正确？"};
        case silent_network:
            return {"{0} is connected to, but for {1} s what was sent has not arrived there: the network is gone, or very slow. Waiting up to {2} s more.",
                    "已连接 {0}，但 {1} 秒内发送的数据没有送达：网络中断或极慢。最多再等 {2} 秒。"};
        case silent_server:
            return {"{0} is connected to, but has answered nothing for {1} s: it is busy or stuck. Waiting up to {2} s more.",
                    "已连接 {0}，但它 {1} 秒没有任何回答：正忙或卡住了。最多再等 {2} 秒。"};
        case silent_upload:
            return {"The upload goes on by itself once that is over. If you end it: hand the same in again, and only the rest is sent.",
                    "恢复后上传会自动继续。如果现在中断：再次提交同样的内容，只会发送其余部分。"};
        case arrived: return {"{0} of {1} have arrived.", "已送达 {0}，共 {1}。"};
    }
    return {"", ""};
}

}  // namespace

std::string say(Language language, Told told, std::initializer_list<std::string_view> arguments) {
    return filled(text_of(told).in(language), arguments);
}

Language language_of_locale(std::string_view locale) {
    const bool zh = locale.starts_with("zh") && (locale.size() == 2 || locale[2] == '_' || locale[2] == '.' || locale[2] == '-' || locale[2] == '@');
    return zh ? Language::chinese : Language::english;
}

}  // namespace assay::wording
