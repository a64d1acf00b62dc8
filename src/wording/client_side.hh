// What a participant's client says by itself: of settings and tokens, of a server and what is before it, of where a submission
// stands. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "wording/wording.hh"

namespace assay::wording {

enum class ClientSide : unsigned char {
    // Settings
    setting_unknown,  // {0} key
    setting_near,  // {0} key; behind `setting_unknown`
    setting_text,  // {0} key
    setting_syntax,  // {0} what the parser says
    setting_not_here,  // {0} file, {1} key, {2} variable
    url_too_long,  // {0} the address; so are those below
    url_scheme,
    url_characters,
    url_bracket,
    url_host,
    url_port,
    // Tokens
    no_token,  // {0} server
    token_line,  // {0} number of the line
    token_readable,  // {0} file
    token_word,
    no_home,
    // A server
    unreachable,  // {0} server, {1} why
    check_network,  // {0} why; where nothing better is known to do
    no_connection,  // {0} call and number of a system that has no words itself; so are those below
    no_host,
    connection_broke,
    no_sign_of_life,
    no_http,
    exchange_failed,
    asked,  // {0} server; before what went wrong
    not_understood,  // {0} what
    answered,  // {0} status
    events_end,
    became_shorter,
    // What is before it: {0} who, {1} status
    proxy_named,  // {0} product; who; so are the two below
    proxy_called,  // {0} what it calls itself
    proxy_unnamed,
    proxy_too_large,  // {0} who, {1} bytes, {2} status, {3} the cure
    proxy_header,  // {2} the cure; of the two below as well
    proxy_slow,
    proxy_waited,
    proxy_gateway,
    proxy_method,
    proxy_forbidden,
    proxy_sign_in,
    proxy_moved,  // {2} the address
    proxy_rate,
    proxy_other,
    proxy_scheme,  // {0} the variable and its value; of one's own network's; so are those below
    proxy_address,
    proxy_unreachable,  // {1} why
    proxy_refused,  // {1} host and port, {2} status
    proxy_wants_password,  // likewise
    proxy_got_nowhere,  // likewise
    broke_off,  // {0} bytes sent, {1} of how many
    silent,  // {0} server, {1} seconds
    silent_upload,  // the same, {2} bytes sent, {3} of how many
    // Who it is: {0} server
    tls_expired,  // {1} date
    tls_not_yet,  // {1} date
    tls_self_signed,
    tls_unknown_authority,  // {1} its name
    tls_wrong_name,  // {1} the names that would fit
    tls_no_authorities,
    tls_other,  // {1} why
    distrust_date,  // why, of `tls_other`, where the system tells no more; so are those below
    distrust_name,
    distrust_authority,
    distrust_revoked,
    distrust_other,
    tls_failed,  // {0} why
    tls_ca_file,  // {0} why
    // Cures
    cure_set,  // {0} lines of a configuration, {1} what holds without them
    cure_lift,  // {0} lines of a configuration
    cure_cloudflare,
    cure_aws_balancer,
    cure_aws_gateway,
    cure_body_size,  // {0} MiB
    cure_header_size,
    cure_body_time,
    cure_answer_time,
    cure_request_streamed,
    cure_answer_streamed,
    // Where a submission stands; each behind its state
    place,  // {0} place in line
    start,  // {0} time
    committed,  // {0} date and time
    replaced,  // {0} id
    last_ = replaced,
};

// {0}, {1}, … are replaced by the arguments as they are: the caller escapes.
std::string say(Language, ClientSide, std::initializer_list<std::string_view> arguments = {});

}  // namespace assay::wording
