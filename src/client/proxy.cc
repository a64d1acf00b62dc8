#include "client/proxy.hh"

#include "base/text.hh"
#include "wording/client_side.hh"

namespace assay::client {
namespace {

using wording::ClientSide;

constexpr std::size_t address_bytes_max = 200;

// Limits that belong to a contract and not to a file.
std::optional<ClientSide> fixed_limit(std::string_view product) {
    if (product == "Cloudflare") return ClientSide::cure_cloudflare;
    if (product == "AWS load balancer") return ClientSide::cure_aws_balancer;
    if (product == "AWS API Gateway") return ClientSide::cure_aws_gateway;
    return std::nullopt;
}

}  // namespace

std::string name_of(const Hop& hop, wording::Language language) {
    if (!hop.product.empty()) return say(language, ClientSide::proxy_named, {hop.product});
    if (!hop.calls.empty()) return say(language, ClientSide::proxy_called, {escaped(hop.calls)});
    return say(language, ClientSide::proxy_unnamed);
}

std::string cure_of(const std::string& product, ProxySetting setting, std::int64_t bytes, wording::Language language) {
    if (const auto fixed = fixed_limit(product); fixed && setting == ProxySetting::body_size)
        return say(language, *fixed);
    const auto found = proxy_lines(product, setting, bytes);
    if (found && found->initial.empty()) return say(language, ClientSide::cure_lift, {found->lines});
    if (found) return say(language, ClientSide::cure_set, {found->lines, found->initial});
    const std::string mebibytes = std::to_string((bytes + (1 << 20) - 1) >> 20);
    switch (setting) {
        case ProxySetting::body_size: return say(language, ClientSide::cure_body_size, {mebibytes});
        case ProxySetting::header_size: return say(language, ClientSide::cure_header_size);
        case ProxySetting::body_time: return say(language, ClientSide::cure_body_time);
        case ProxySetting::answer_time: return say(language, ClientSide::cure_answer_time);
        case ProxySetting::request_streamed: return say(language, ClientSide::cure_request_streamed);
        case ProxySetting::answer_streamed: return say(language, ClientSide::cure_answer_streamed);
    }
    return {};
}

std::string sentence_of(const Hop& hop, int status, std::int64_t body_size, wording::Language language) {
    const std::string who = name_of(hop, language);
    const std::string number = std::to_string(status);
    const std::string address = escaped(hop.address, address_bytes_max);
    const auto cure = [&](ProxySetting setting) { return cure_of(hop.product, setting, body_size + 1, language); };
    switch (hop.trouble) {
        case Trouble::too_large:
            return say(language, ClientSide::proxy_too_large,
                       {who, std::to_string(body_size), number, cure(ProxySetting::body_size)});
        case Trouble::header_too_large:
            return say(language, ClientSide::proxy_header, {who, number, cure(ProxySetting::header_size)});
        case Trouble::too_slow:
            return say(language, ClientSide::proxy_slow, {who, number, cure(ProxySetting::body_time)});
        case Trouble::no_server: return say(language, ClientSide::proxy_gateway, {who, number});
        case Trouble::no_answer:
            return say(language, ClientSide::proxy_waited, {who, number, cure(ProxySetting::answer_time)});
        case Trouble::method: return say(language, ClientSide::proxy_method, {who, number});
        case Trouble::forbidden: return say(language, ClientSide::proxy_forbidden, {who, number});
        case Trouble::sign_in: return say(language, ClientSide::proxy_sign_in, {who, number});
        case Trouble::moved: return say(language, ClientSide::proxy_moved, {who, number, address});
        case Trouble::rate: return say(language, ClientSide::proxy_rate, {who, number});
        case Trouble::page: break;
    }
    return say(language, ClientSide::proxy_other, {who, number});
}

std::optional<std::string> proxy_refusal(const http::Answer& answer, std::int64_t body_size,
                                         wording::Language language) {
    const auto hop = hop_of(answer, body_size);
    if (!hop) return std::nullopt;
    return sentence_of(*hop, answer.status, body_size, language);
}

}  // namespace assay::client
