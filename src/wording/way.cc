#include "wording/way.hh"

#include "wording/text.hh"

namespace assay::wording {
namespace {

struct Step {
    std::string_view id;
    Text name;
};
Step step_of(WayStep it) {
    using enum WayStep;
    switch (it) {
        case reach: return {"reach", {"server", "服务器"}};
        case between: return {"between", {"in front of it", "前面的程序"}};
        case body_size: return {"body_size", {"largest body", "最大请求正文"}};
        case parts: return {"parts", {"parts", "分块"}};
        case slow_body: return {"slow_body", {"slow uploads", "慢速上传"}};
        case request_buffering: return {"request_buffering", {"uploads on their way", "上传转发"}};
        case event_stream: return {"event_stream", {"live pages", "实时页面"}};
        case expect: return {"expect", {"Expect: 100-continue", "Expect：100-continue"}};
        case authorization: return {"authorization", {"tokens", "令牌"}};
        case methods: return {"methods", {"methods", "请求方法"}};
        case clock: return {"clock", {"clock", "时钟"}};
        case encryption: return {"encryption", {"encryption", "加密"}};
    }
    return {"", {"", ""}};
}

Text text_of(WaySaid it) {
    using enum WaySaid;
    switch (it) {
        case reached: return {"assay {1} answers at {0}", "{0} 处是 assay {1}"};
        case between_none: return {"nothing that shows itself", "没有可见的程序"};
        case between: return {"{0} ({1})", "{0}（{1}）"};
        case between_via: return {"; passed by: {0}", "；经过：{0}"};
        case size_passes: return {"{0} pass at once", "{0} 可一次通过"};
        case size_refused: return {"{0} pass, {1} do not: {2} answers {3}", "{0} 可通过，{1} 不可：{2}回答 {3}"};
        case size_broke: return {"{0} pass; with {1} the connection breaks: {2}", "{0} 可通过；{1} 时连接中断：{2}"};
        case size_cut:
            return {"{0} pass; the way is too slow to try more within the time",
                    "{0} 可通过；线路太慢，来不及尝试更大的"};
        case parts_pass:
            return {"{0} pass: what is refused at once arrives in parts", "{0} 可通过：一次被拒绝的内容可分块送达"};
        case slow_passes: return {"a body that pauses for {0} passes", "中途停顿 {0}的上传可通过"};
        case slow_refused:
            return {"a body that pauses for {0} does not pass: {1} answers {2}",
                    "中途停顿 {0}的上传不能通过：{1}回答 {2}"};
        case slow_broke: return {"a body that pauses for {0} does not pass: {1}", "中途停顿 {0}的上传不能通过：{1}"};
        case streamed: return {"a body is passed on as it comes", "请求正文边接收边转发"};
        case gathered:
            return {
                "a body is gathered whole before the server sees any of it: it takes twice the time and room on the "
                "disk there",
                "请求正文在完整接收后才转发给服务器：耗时加倍，并占用那里的磁盘"};
        case events_pass: return {"events arrive as they are sent", "事件即发即到"};
        case events_late: return {"events are held back: pages show news late", "事件被滞留：页面更新会延迟"};
        case continues: return {"answered at once", "立即得到回答"};
        case no_continue:
            return {"not answered within a second: so long curl waits before each large upload",
                    "一秒内没有回答：curl 每次上传大文件前会等这么久"};
        case authorized: return {"the header Authorization arrives", "请求头 Authorization 可到达"};
        case unauthorized:
            return {"the header Authorization is taken away: nobody can sign in",
                    "请求头 Authorization 被去掉：无法使用令牌"};
        case methods_pass: return {"{0} pass", "{0} 可通过"};
        case methods_lost: return {"{0} do not pass: uploads in parts fail", "{0} 不能通过：无法分块上传"};
        case clock_right: return {"this machine's is {0} s off the server's", "本机与服务器相差 {0} 秒"};
        case clock_wrong:
            return {"this machine's is {0} s off the server's; deadlines go by the server's",
                    "本机与服务器相差 {0} 秒；截止时间以服务器为准"};
        case plain_here: return {"none, and none is needed on this machine alone", "没有；仅在本机内也不需要"};
        case plain:
            return {"none: whoever is on the way can read tokens and submissions",
                    "没有：途中任何人都能读到令牌和提交内容"};
        case not_known: return {"not known: {0}", "未知：{0}"};
        case cure_reach:
            return {"look whether the server runs, and whether the address is the one that people use",
                    "请检查服务器是否在运行，地址是否为大家使用的地址"};
        case cure_parts: return {"everything below 1 MiB must pass", "小于 1 MiB 的内容必须全部放行"};
        case cure_authorization:
            return {"let it pass the header on, such as `proxy_set_header Authorization $http_authorization;`",
                    "让它转发该请求头，例如 `proxy_set_header Authorization $http_authorization;`"};
        case cure_methods:
            return {"let GET, HEAD, POST, PATCH and DELETE pass", "放行 GET、HEAD、POST、PATCH 和 DELETE"};
        case cure_expect:
            return {"let it answer or pass on Expect: 100-continue", "让它回答或转发 Expect: 100-continue"};
        case cure_clock:
            return {"timedatectl set-ntp true, on the machine whose clock is wrong",
                    "在时钟不准的机器上运行 timedatectl set-ntp true"};
        case cure_encryption:
            return {"let a proxy in front of it speak TLS, and name its https address as public_url",
                    "让前面的代理使用 TLS，并把其 https 地址设为 public_url"};
        case fit: return {"This way is fit.", "这条线路可用。"};
        case fit_with_warnings:
            return {"This way is fit; what is marked could be better.", "这条线路可用；标出的项目可以改进。"};
        case not_fit:
            return {"This way is not fit: change what is marked bad.", "这条线路不可用：请修改标为 bad 的项目。"};
        case looking_at: return {"looking at: {0}", "正在检查：{0}"};
    }
    return {"", ""};
}

}  // namespace

std::string_view id_of(WayStep step) { return step_of(step).id; }
std::string name(Language language, WayStep step) { return std::string{step_of(step).name.in(language)}; }
std::string say(Language language, WaySaid it, std::initializer_list<std::string_view> arguments) {
    return filled(text_of(it).in(language), arguments);
}

}  // namespace assay::wording
