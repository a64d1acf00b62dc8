#include "wording/client_side.hh"

#include "wording/text.hh"

namespace assay::wording {
namespace {

Text text_of(ClientSide it) {
    using enum ClientSide;
    switch (it) {
        case setting_unknown: return {"unknown key '{0}'", "未知的键“{0}”"};
        case setting_near: return {"; did you mean '{0}'?", "；是否想写“{0}”？"};
        case setting_text: return {"'{0}' must be a text without spaces", "“{0}”必须是不含空格的文本"};
        case setting_syntax:
            return {"this line is no TOML ({0}); it is like server = \"https://host\"", "此行不是有效的 TOML（{0}）；应形如 server = \"https://host\""};
        case setting_not_here:
            return {"{0}: '{1}' may not be said by a project; say it in your own config.toml, or by {2}",
                    "{0}：项目文件不能设置“{1}”；请写在你自己的 config.toml 中，或用环境变量 {2}"};
        case url_too_long:
            return {"the server's address '{0}' is too long; it is like http://host:port",
                    "服务器地址“{0}”过长；应形如 http://host:port"};
        case url_scheme:
            return {"the server's address '{0}' has a scheme that is neither http nor https; it is like https://host",
                    "服务器地址“{0}”不以 http:// 或 https:// 开头；应形如 https://host"};
        case url_characters:
            return {"the server's address '{0}' has characters that no address has; it is like http://host:port",
                    "服务器地址“{0}”含有地址中不允许的字符；应形如 http://host:port"};
        case url_bracket:
            return {"the server's address '{0}' lacks the ']' of its host; it is like http://host:port",
                    "服务器地址“{0}”的主机名缺少“]”；应形如 http://host:port"};
        case url_host:
            return {"the server's address '{0}' names no host; it is like http://host:port",
                    "服务器地址“{0}”没有主机名；应形如 http://host:port"};
        case url_port:
            return {"the server's address '{0}' has no port from 1 to 65535; it is like http://host:port",
                    "服务器地址“{0}”的端口不在 1 到 65535 之间；应形如 http://host:port"};
        case no_token:
            return {"there is no token for {0}; store yours with: assay login --server {0}",
                    "没有用于 {0} 的令牌（token）；请先保存：assay login --server {0}"};
        case token_line: return {"line {0} is not 'SERVER COURSE TOKEN'", "第 {0} 行不是“服务器 课程 令牌”"};
        case token_readable:
            return {"others can read your token; mend it with: chmod 600 '{0}'",
                    "其他人可以读取你的令牌；请运行：chmod 600 '{0}'"};
        case token_word: return {"a token or course is one word", "令牌和课程都不能含有空格"};
        case no_home:
            return {"there is no home folder to keep a token in; use the variable ASSAY_TOKEN",
                    "没有可保存令牌的主目录；请使用环境变量 ASSAY_TOKEN"};
        case unreachable: return {"{0} cannot be reached: {1}", "无法连接 {0}：{1}"};
        case check_network: return {"{0}. Check the address and your network, and try again", "{0}。请检查地址和网络，然后重试"};
        case no_connection: return {"nobody takes the connection ({0})", "没有程序接受连接（{0}）"};
        case no_host: return {"no such host ({0})", "找不到这个主机（{0}）"};
        case connection_broke: return {"the connection broke ({0})", "连接中断（{0}）"};
        case no_sign_of_life: return {"no sign of life in time ({0})", "等待回答超时（{0}）"};
        case no_http: return {"no answer, or none that is HTTP ({0})", "没有回答，或回答不是 HTTP（{0}）"};
        case exchange_failed: return {"it failed ({0})", "失败（{0}）"};
        case asked: return {"ask {0}", "访问 {0}"};
        case not_understood: return {"the server's answer cannot be understood: {0}", "无法理解服务器的回答：{0}"};
        case answered: return {"the server answered {0}", "服务器回答 {0}"};
        case events_end: return {"the server ends its events again and again", "服务器一再中断事件流"};
        case became_shorter: return {"the archive became shorter while it was sent", "压缩包在发送过程中变短了"};
        case proxy_named: return {"{0}, in front of the server,", "服务器前面的 {0} "};
        case proxy_called: return {"What calls itself “{0}”, in front of the server,", "服务器前面自称“{0}”的程序"};
        case proxy_unnamed: return {"Something between you and the server", "你与服务器之间的某个设备"};
        case proxy_too_large:
            return {"{0} refused {1} {1:byte|bytes} as too large ({2}); the server never saw {1:it|them}. Tell whoever runs it: {3}",
                    "{0}拒绝了过大的 {1} 字节（{2}）；服务器从未收到。请告诉其管理员：{3}"};
        case proxy_header:
            return {"{0} refused the request's header as too large ({1}). Tell whoever runs it: {2}",
                    "{0}拒绝了过大的请求头（{1}）。请告诉其管理员：{2}"};
        case proxy_slow:
            return {"{0} answered {1}: the upload came too slowly for it. Tell whoever runs it: {2}",
                    "{0}回答 {1}：上传速度低于它的要求。请告诉其管理员：{2}"};
        case proxy_waited:
            return {"{0} answered {1}: it waited too long for the server. Nothing is known of your upload; send it again, "
                    "the same key makes it one submission. Tell whoever runs it: {2}",
                    "{0}回答 {1}：它等待服务器超时。不知道上传是否成功；请再次发送，同一个 key 只算一次提交。请告诉其管理员：{2}"};
        case proxy_gateway:
            return {"{0} answered {1}: it did not reach the server, or got no answer that it could pass on. Nothing is known of your "
                    "upload; send it again, the same key makes it one submission",
                    "{0}回答 {1}：它连不上服务器，或没有得到可以转发的回答。不知道上传是否成功；请再次发送，同一个 key 只算一次提交"};
        case proxy_method:
            return {"{0} answered {1}: it does not pass this method to the server. Tell whoever runs it: GET, HEAD, POST, PATCH and DELETE are needed",
                    "{0}回答 {1}：它不向服务器转发这种方法。请告诉其管理员：需要 GET、HEAD、POST、PATCH 和 DELETE"};
        case proxy_forbidden:
            return {"{0} answered {1}: a rule of its own, such as a firewall's, forbids this. Tell whoever runs it to let the server's address pass",
                    "{0}回答 {1}：它自己的规则（例如防火墙）禁止此请求。请告诉其管理员放行该服务器的地址"};
        case proxy_sign_in:
            return {"{0} answered {1}: it wants you to sign in first. Open the server's address in a browser, sign in, and try again",
                    "{0}回答 {1}：它要求先登录。请在浏览器中打开服务器地址，登录后再试"};
        case proxy_moved:
            return {"{0} answered {1}: it leads to {2}. Name that address if it is the server's; otherwise sign in to this network with a browser, and try again",
                    "{0}回答 {1}：它指向 {2}。如果那是服务器的地址，请改用它；否则请用浏览器登录当前网络后再试"};
        case proxy_rate:
            return {"{0} answered {1}: too many requests for it. Wait a minute, and try again", "{0}回答 {1}：请求过于频繁。请等一分钟再试"};
        case proxy_other:
            return {"{0} answered {1}; this is no answer of an assay server. Check the address",
                    "{0}回答 {1}；这不是 assay 服务器的回答。请检查地址"};
        case proxy_scheme:
            return {"{0} names a proxy of a kind that is not spoken here; only http:// is. Unset it, or name this server in no_proxy",
                    "{0} 指定的代理类型不受支持，只支持 http://。请取消该变量，或把服务器写入 no_proxy"};
        case proxy_address:
            return {"{0} names no proxy's address; it is like http://host:port. Mend it, or unset it",
                    "{0} 不是有效的代理地址；应形如 http://主机:端口。请改正或取消该变量"};
        case proxy_unreachable:
            return {"the proxy of {0} cannot be reached: {1}. Mend or unset that variable, or name this server in no_proxy",
                    "无法连接 {0} 指定的代理：{1}。请改正或取消该变量，或把服务器写入 no_proxy"};
        case proxy_refused:
            return {"the proxy of {0} refused CONNECT to {1}: {2}; the server never heard of it. Ask whoever runs the proxy to let that address pass, or name this server in no_proxy",
                    "{0} 指定的代理拒绝了到 {1} 的 CONNECT：{2}；服务器没有收到任何内容。请联系代理的管理员放行该地址，或把服务器写入 no_proxy"};
        case proxy_wants_password:
            return {"the proxy of {0} refused CONNECT to {1}: {2}; it wants to know who you are. Write your name and password for it into the variable: http://NAME:PASSWORD@host:port",
                    "{0} 指定的代理拒绝了到 {1} 的 CONNECT：{2}；它要求验证身份。请在该变量中写入代理的用户名和密码：http://用户名:密码@主机:端口"};
        case proxy_got_nowhere:
            return {"the proxy of {0} got no connection to {1}: {2}. Is the address right, and the server up? Or the proxy knows no way there: name this server in no_proxy",
                    "{0} 指定的代理无法连接 {1}：{2}。地址是否正确，服务器是否在运行？也可能代理无法到达那里：请把服务器写入 no_proxy"};
        case broke_off:
            return {"after {0} of {1} {1:byte|bytes}, without an answer: the network failed, or something on the way bounds an upload's size or time",
                    "已发送 {1} 字节中的 {0}，没有得到回答：网络中断，或途中的设备限制了上传的大小或时间"};
        case silent:
            return {"{0} was connected to, but answered nothing for {1} s. Try again in some minutes; if it stays so, tell whoever runs the server",
                    "已连接 {0}，但 {1} 秒没有任何回答。请过几分钟再试；如果一直如此，请告诉服务器管理员"};
        case silent_upload:
            return {"{0} was connected to and sent {2} of {3} {3:byte|bytes}, but answered nothing for {1} s: the network failed, or the server is stuck",
                    "已连接 {0} 并发送了 {3} 字节中的 {2}，但 {1} 秒没有任何回答：网络中断，或服务器卡住了"};
        case tls_expired:
            return {"the certificate of {0} ended on {1}, so nothing was sent. If this computer's date is right, tell whoever runs the server",
                    "{0} 的证书已于 {1} 过期，因此没有发送任何内容。如果本机日期无误，请告诉服务器管理员"};
        case tls_not_yet:
            return {"the certificate of {0} begins only on {1}, so nothing was sent. Is this computer's date right? Correct it, or tell whoever runs the server",
                    "{0} 的证书从 {1} 才开始有效，因此没有发送任何内容。本机日期对吗？请校正日期，或告诉服务器管理员"};
        case tls_self_signed:
            return {"{0} shows a certificate that only itself vouches for, so nothing was sent: it could be anybody. Ask the staff for the "
                    "server's certificate as a file, and name it: ASSAY_CA_FILE=FILE",
                    "{0} 出示的是自签名证书，无法确认对方身份，因此没有发送任何内容。请向课程人员索取服务器的证书文件，并用 ASSAY_CA_FILE=文件 指定"};
        case tls_unknown_authority:
            return {"the certificate of {0} comes from '{1}', which this computer does not know, so nothing was sent. If the course has an "
                    "authority of its own, get its certificate from the staff and name it: ASSAY_CA_FILE=FILE. Otherwise somebody may be listening in",
                    "{0} 的证书由本机不认识的“{1}”签发，因此没有发送任何内容。如果课程使用自己的证书机构，请向课程人员索取其证书，并用 "
                    "ASSAY_CA_FILE=文件 指定；否则可能有人在窃听"};
        case tls_wrong_name:
            return {"who answers at {0} has a certificate for another name ({1}), so nothing was sent. Check the address; if it is right, tell "
                    "whoever runs the server",
                    "{0} 处的应答者出示的是另一个名称（{1}）的证书，因此没有发送任何内容。请检查地址；如果无误，请告诉服务器管理员"};
        case tls_no_authorities:
            return {"this computer has no list of certificate authorities, so {0} cannot prove who it is and nothing was sent. Install it "
                    "(package ca-certificates), or name one: SSL_CERT_FILE=FILE",
                    "本机没有证书机构列表，无法确认 {0} 的身份，因此没有发送任何内容。请安装（软件包 ca-certificates），或用 SSL_CERT_FILE=文件 指定"};
        case tls_other:
            return {"the certificate of {0} is not to be believed ({1}), so nothing was sent. Tell whoever runs the server",
                    "{0} 的证书不可信（{1}），因此没有发送任何内容。请告诉服务器管理员"};
        case distrust_date: return {"it is not valid today", "证书今天不在有效期内"};
        case distrust_name: return {"it is for another name", "证书属于另一个名称"};
        case distrust_authority: return {"nobody this computer knows vouches for it", "本机不认识其签发者"};
        case distrust_revoked: return {"it was revoked", "证书已被吊销"};
        case distrust_other: return {"WinHTTP refuses it", "WinHTTP 拒绝该证书"};
        case tls_failed:
            return {"no encrypted connection comes about ({0}); if the server has none, its address begins with http://",
                    "无法建立加密连接（{0}）；如果服务器不使用加密，其地址应以 http:// 开头"};
        case tls_ca_file:
            return {"{0}. Name a file of certificates in PEM form by ASSAY_CA_FILE, or none", "{0}。请用 ASSAY_CA_FILE 指定 PEM 格式的证书文件，或不指定"};
        case cure_set: return {"set `{0}` in its configuration (default {1})", "在其配置中设置 `{0}`（默认 {1}）"};
        case cure_lift:
            return {"set `{0}` in its configuration, or take its limit out (it has none by default)",
                    "在其配置中设置 `{0}`，或删去该限制（默认没有）"};
        case cure_cloudflare:
            return {"the limit belongs to its plan (100 MB at least): hand in a smaller archive, or go around it",
                    "上限由其套餐决定（至少 100 MB）：请提交较小的压缩包，或绕过它"};
        case cure_aws_balancer:
            return {"its limit cannot be raised (1 MB for Lambda targets)", "其上限无法提高（Lambda 目标为 1 MB）"};
        case cure_aws_gateway: return {"its limit of 10 MB cannot be raised", "其 10 MB 的上限无法提高"};
        case cure_body_size:
            return {"its limit for a request's body must be {0} MiB at least", "其请求正文的上限至少应为 {0} MiB"};
        case cure_header_size:
            return {"its limit for a request's header must be 32 KiB", "其请求头的上限应为 32 KiB"};
        case cure_body_time:
            return {"it must wait 5 minutes for a slow body", "它应为缓慢的上传等待 5 分钟"};
        case cure_answer_time:
            return {"it must wait 5 minutes for the server's answer", "它应为服务器的回答等待 5 分钟"};
        case cure_request_streamed:
            return {"it should pass a body on as it comes", "它应边接收边转发请求正文"};
        case cure_answer_streamed:
            return {"it should pass an answer on as it comes", "它应边接收边转发回答"};
        case place: return {", place {0} in line", "，排在第 {0} 位"};
        case start: return {", expected to start {0}", "，预计开始时间 {0}"};
        case committed: return {", committed {0}, which is the time that counts", "，承诺时间 {0}（以此时间为准）"};
        case replaced: return {", replaced by {0}", "，已由 {0} 替换"};
    }
    return {"", ""};
}

}  // namespace

std::string say(Language language, ClientSide it, std::initializer_list<std::string_view> arguments) {
    return filled(text_of(it).in(language), arguments);
}

}  // namespace assay::wording
