#include "wording/command_line.hh"

#include "wording/text.hh"

namespace assay::wording {
namespace {

Text text_of(Told told) {
    using enum Told;
    switch (told) {
        case left_out: return {"left out: {0}", "未打包：{0}"};
        case packed: return {"{0}: {1}, {2} entries of {3}, sha256 {4}", "{0}：{1}，共 {2} 项，内容 {3}，sha256 {4}"};
        case sound: return {"{0}: sound {1}, {2} entries of {3}", "{0}：完好的 {1}，共 {2} 项，内容 {3}"};
        case stripped: return {", in the folder '{0}', which is stripped", "，都在目录“{0}”中，解包时去掉这一层"};
        case converted: return {"names converted from {1} to UTF-8: {0}", "已从 {1} 转换为 UTF-8 的文件名：{0} 个"};
        case refused_file: return {"{0}: refused ({1}): {2}", "{0}：不会被接收（{1}）：{2}"};
        case file_too_large:
            return {"the file is larger than the module takes: limit {0} bytes, {1} bytes found", "文件超过本作业的大小上限：上限 {0} 字节，实际 {1} 字节"};
        case closed_now:
            return {"the module does not take submissions now (opens {0}, closes {1})", "本作业现在不接受提交（开放：{0}，截止：{1}）"};
        case opens_at_once: return {"at once", "随时"};
        case closes_never: return {"never", "不截止"};
        case sending: return {"sending {0} of {1} ({2} %)", "正在发送 {0}，共 {1}（{2} %）"};
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
