#include "wording/archive_faults.hh"

#include "base/assert.hh"
#include "wording/text.hh"

namespace assay::wording {
namespace {

Text text_of(model::ArchiveFault fault) {
    using enum model::ArchiveFault;
    switch (fault) {
        case no_bytes: return {"the file has no bytes", "文件大小为 0"};
        case only_zeros:
            return {"the archive is empty, nothing but zero bytes: was it the right folder, and was the file copied completely?",
                    "压缩包是空的，内容全是零字节：所选文件夹是否正确，文件是否复制完整？"};
        case nothing_left: return {"the archive holds nothing that counts", "压缩包里没有有效内容"};

        case read_as_text:
            return {"looks like an archive that was read or sent as text: send it as binary (curl -F file=@NAME)",
                    "看起来是被当作文本读取或发送的压缩包：请以二进制方式发送（curl -F file=@文件名）"};
        case html_page:
            return {"looks like an HTML page: was an error page or a login page saved?", "看起来是 HTML 网页：是否误存了报错页面或登录页面？"};
        case plain_text:
            return {"looks like text: send the packed archive, not a file of it", "看起来是文本：请发送打包好的压缩包，而不是其中的某个文件"};
        case unknown_format: return {"none of the known archive formats; send {0}", "不是任何已知的压缩包格式；可用格式：{0}"};
        case no_tar: return {"the compressed data is not a tar", "解压后的数据不是 tar"};

        case format_unread:
            return {"{0} is not read yet by this version; send {1}", "当前版本还不能读取 {0}；可用格式：{1}"};
        case format_not_taken: return {"this module does not take {0}; send {1}", "本作业不接受 {0}；可用格式：{1}"};
        case sparse: return {"sparse files are not taken; pack without --sparse", "不接受稀疏文件；打包时请不要用 --sparse"};
        case device: return {"devices and pipes are not taken", "不接受设备文件和管道"};
        case member_type: return {"members of type '{0}' are not taken", "不接受类型为“{0}”的条目"};
        case content_unexpected: return {"a directory or link that says it has content", "目录或链接条目声称自己带有内容"};
        case global_header: return {"a global pax header sets {0} for every member", "全局 pax 头为所有条目统一设置了 {0}"};

        case encrypted: return {"encrypted entries are not taken; pack without a password", "不接受加密的条目；打包时请不要设置密码"};
        case method:
            return {"compressed by zip method {0}; only stored and deflated entries are taken: pack again with the usual method",
                    "使用了 zip 压缩方法 {0}；只接受存储和 deflate：请用常用的方法重新打包"};
        case zip_large:
            return {"a zip with so many entries is not taken; pack fewer, or a tar", "不接受含有这么多条目的 zip；请减少内容，或打包成 tar"};
        case link_not_taken:
            return {"this module takes no links; put the file itself in its place", "本作业不接受链接；请用文件本身代替"};
        case no_checksum:
            return {"the {0} data carries no checksum that can be verified; pack it again with the tool's defaults",
                    "{0} 数据没有可以校验的校验和；请用该工具的默认选项重新打包"};
        case skippable_frame:
            return {"zstd frames that hold no data of the archive are not taken; pack it again with plain zstd",
                    "不接受不含压缩包数据的 zstd 帧；请用普通的 zstd 重新打包"};
        case window_too_large:
            return {"reading this {0} data needs a window of more than {1}; pack it again at the default level",
                    "读取此 {0} 数据需要超过 {1} 的窗口；请用默认级别重新打包"};

        case data_cut: return {"the {0} data is cut: the file is incomplete", "{0} 数据被截断：文件不完整"};
        case end_missing:
            return {"the tar's end blocks are missing: it is cut, or was never closed", "缺少 tar 的结束块：文件被截断，或打包没有完成"};
        case checksum_wrong: return {"a checksum or length in the {0} data does not match", "{0} 数据的校验和或长度不符"};
        case data_broken: return {"the {0} data is damaged", "{0} 数据已损坏"};
        case header_broken: return {"a {0} header is damaged or makes no sense", "{0} 头已损坏或内容不合理"};
        case trailing: return {"other bytes than zeros follow the end of the {0} data", "{0} 数据结束之后还有非零字节"};
        case headers_differ:
            return {"the zip says one thing before this entry and another in its directory", "该条目前的 zip 头与 zip 目录中的记录不一致"};
        case text_mode:
            return {"it looks as if it had been written or sent in text mode (LF became CR LF): send it as binary",
                    "看起来是以文本模式写入或发送的（LF 变成了 CR LF）：请以二进制方式发送"};
        case reading_memory:
            return {"reading it takes more than {0} of memory: pack it again with a usual tool",
                    "读取它需要超过 {0} 的内存：请用常用的工具重新打包"};
        case reading_time:
            return {"reading it takes more than {0} s: pack it again with a usual tool", "读取它需要超过 {0} 秒：请用常用的工具重新打包"};
        case reading_crashed:
            return {"the reader was ended by signal {0}: pack it again with a usual tool", "读取程序被信号 {0} 终止：请用常用的工具重新打包"};

        case headers_too_large: return {"the extended headers are too large", "扩展头太大"};
        case empty_members: return {"far too many compressed members that hold almost nothing", "压缩成员过多且几乎都是空的"};
        case entries_overlap:
            return {"entries of the zip overlap, or bytes lie between them that belong to none", "zip 条目相互重叠，或条目之间有不属于任何条目的字节"};
        case name_empty: return {"a name that is empty, or a file or link in place of the root folder", "名称为空，或用文件、链接代替了根目录"};
        case name_too_long: return {"a name, or one part of it, longer than {0} {0:byte|bytes}", "名称或其中一段超过 {0} 字节"};
        case name_too_deep: return {"a name more than {0} {0:folder|folders} deep", "目录嵌套超过 {0} 层"};
        case name_absolute: return {"an absolute name, or one that begins with a drive letter", "名称是绝对路径，或以盘符开头"};
        case name_upward: return {"a name with '..' in it", "名称中含有“..”"};
        case name_encoding: return {"the name is not valid {0}: pack it again with names in {0}", "名称不是有效的 {0}：请以 {0} 编码的文件名重新打包"};
        case name_unmarked:
            return {"the name is in an encoding that the zip does not tell, and not UTF-8: pack a tar, or set UTF-8 names in the zip tool",
                    "zip 没有标明该名称的编码，且它不是 UTF-8：请打包成 tar，或在 zip 工具中启用 UTF-8 文件名"};
        case name_invisible:
            return {"the name holds a control, invisible or direction-changing character", "名称中含有控制字符、不可见字符或改变文字方向的字符"};
        case name_backslash: return {"the name holds a backslash", "名称中含有反斜杠"};
        case hard_link: return {"a hard link to '{0}', which is no earlier file", "硬链接指向“{0}”，而它不是前面出现过的文件"};
        case twice: return {"'{0}' is there twice", "“{0}”出现了两次"};
        case names_meet:
            return {"'{0}' and '{1}' would be one name on systems that ignore case or accents' form",
                    "在不区分大小写或重音写法的系统上，“{0}”和“{1}”会成为同一个名称"};
        case below_no_folder: return {"it lies below '{0}', which is no folder", "它位于“{0}”之下，而后者不是目录"};
        case link_target:
            return {"a link to '{0}': the target is empty, too long or holds characters that are not allowed",
                    "链接指向“{0}”：目标为空、太长，或含有不允许的字符"};
        case link_absolute: return {"a link with an absolute target: '{0}'", "链接的目标是绝对路径：“{0}”"};
        case link_upward: return {"a link whose target has '..' after a name: '{0}'", "链接的目标在名称之后含有“..”：“{0}”"};
        case link_outside: return {"a link that leads outside the archive: '{0}'", "链接指向压缩包之外：“{0}”"};

        case entries: return {"more than {0} {0:file or folder|files and folders}", "文件和目录超过 {0} 个"};
        case names_too_large: return {"the names take too much room altogether", "所有名称加起来太长"};
        case unpacked: return {"unpacks to more than {0}", "解开后超过 {0}"};
        case file_too_large: return {"one file of it is larger than {0}", "其中有一个文件超过 {0}"};
        case grows_too_fast:
            return {"a part of it unpacks to more than {0} {0:time|times} its size, as only archives do that are meant to do harm, or files of nothing but repeated bytes",
                    "其中一段解开后超过自身大小的 {0} 倍；只有恶意压缩包，或内容全是重复字节的文件才会这样"};
        case padding: return {"too many zero bytes follow the tar's end blocks", "tar 结束块之后的零字节过多"};

        case required:
            return {"nothing in the archive matches '{0}', which this module requires", "压缩包里没有与“{0}”匹配的内容，而本作业要求提供"};
        case required_below:
            return {"nothing below the wrapping folder '{1}' matches '{0}', which this module requires",
                    "外层目录“{1}”之下没有与“{0}”匹配的内容，而本作业要求提供"};
    }
    return {"", ""};
}

Text text_of(FormFault fault) {
    using enum FormFault;
    switch (fault) {
        case token_in_address:
            return {"a token in the address would end up in logs; send it as the form field 'token'",
                    "写在网址里的 token 会留在日志中；请用表单字段“token”发送"};
        case field_missing: return {"the field '{0}' is missing", "缺少字段“{0}”"};
        case field_twice: return {"the field '{0}' is there twice", "字段“{0}”出现了两次"};
        case field_too_long: return {"a form field is longer than {0} {0:byte|bytes}", "有表单字段超过 {0} 字节"};
        case cut: return {"the form ends before its closing boundary", "表单在结束边界之前就中断了"};
        case broken: return {"the form cannot be read: {0}", "无法解析表单：{0}"};
        case json_broken: return {"the JSON cannot be read: {0}", "无法解析 JSON：{0}"};
        case sha256_unreadable:
            return {"a declared SHA-256 is 64 hex digits in the field 'sha256', or sha-256=:BASE64: in the header Repr-Digest",
                    "声明的 SHA-256 应为字段“sha256”中的 64 位十六进制数，或请求头 Repr-Digest 中的 sha-256=:BASE64:"};
        case size_unreadable: return {"a declared 'size' is a number of bytes", "声明的“size”应为字节数"};
        case sha256_differs: return {"the SHA-256 of what arrived is {0}", "收到内容的 SHA-256 为 {0}"};
        case size_differs: return {"{0} {0:byte|bytes} arrived", "实际收到 {0} 字节"};
        case key_unreadable:
            return {"an Idempotency-Key is 1 to {0} visible ASCII characters", "Idempotency-Key 应为 1 到 {0} 个可见 ASCII 字符"};
        case key_reused:
            return {"other bytes were handed in under this Idempotency-Key before, as submission {0}",
                    "此前已用同一个 Idempotency-Key 提交过不同的内容，提交编号为 {0}"};
    }
    return {"", ""};
}

Text text_of(TurnFault fault) {
    using enum TurnFault;
    switch (fault) {
        case no_room:
            return {
                "no more uploads can wait to be checked, and nobody has more in line than you: {0}, besides this one",
                "等待检查的提交已达上限，而排队最多的正是你：除这次外还有 {0} 个"};
        case too_late:
            return {"its turn to be checked did not come in time; {0} more of yours {0:waits|wait}",
                    "未能及时轮到检查；你还有 {0} 个提交在等待检查"};
        case under_way:
            return {"as many bytes of uploads are under way as this server has room for, and none became free in time",
                    "正在上传的数据量已达服务器上限，且未能及时空出"};
    }
    return {"", ""};
}

constexpr Text at_entry{", entry '{0}'", "，条目“{0}”"};
constexpr Text limit_found{", limit {0}, found {1}", "，上限 {0}，实际 {1}"};
constexpr Text at_byte{", at byte {0}", "，位于第 {0} 字节"};
constexpr Text in_brackets{"{0} ({1})", "{0}（{1}）"};

}  // namespace

std::string sentence(Language language, model::ArchiveFault fault, std::span<const std::string> arguments, const Place& place) {
    ASSAY_ASSERT(arguments.size() == model::argument_count(fault));
    const auto argument = [&](std::size_t at) { return at < arguments.size() ? std::string_view{arguments[at]} : ""; };
    std::string said = filled(text_of(fault).in(language), {argument(0), argument(1)});
    if (!place.entry.empty()) said += filled(at_entry.in(language), {place.entry});
    if (place.limit && place.value) said += filled(limit_found.in(language), {std::to_string(*place.limit), std::to_string(*place.value)});
    if (place.offset > 0) said += filled(at_byte.in(language), {std::to_string(place.offset)});
    return said;
}

std::string sentence(Language language, FormFault fault, std::string_view argument) {
    return filled(text_of(fault).in(language), {argument});
}

std::string sentence(Language language, TurnFault fault, std::size_t own) {
    return filled(text_of(fault).in(language), {std::to_string(own)});
}

std::string with_detail(Language language, std::string_view sentence, std::string_view detail) {
    return detail.empty() ? std::string{sentence} : filled(in_brackets.in(language), {sentence, detail});
}

}  // namespace assay::wording
