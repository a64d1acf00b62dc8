#include "alert/config.hh"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "alert/wire.hh"
#include "base/text.hh"

namespace assay::alert {
namespace {

// One table, whose keys are taken one by one; what is left over is unknown. The first error is kept.
class Table {
public:
    Table(const toml::table& table, std::string path, const std::string& file)
        : table_{table}, path_{std::move(path)}, file_{file} {}

    std::optional<std::string> text(std::string_view key) {
        const toml::node* const node = take(key);
        if (node == nullptr) return std::nullopt;
        if (node->is_string()) return node->value<std::string>();
        wrong(key, *node, "must be a text");
        return std::nullopt;
    }
    std::optional<std::int64_t> number(std::string_view key, std::int64_t least, std::int64_t most) {
        const toml::node* const node = take(key);
        if (node == nullptr) return std::nullopt;
        const auto value = node->is_integer() ? node->value<std::int64_t>() : std::nullopt;
        if (value && *value >= least && *value <= most) return value;
        wrong(key, *node, fmt::format("must be a whole number from {} to {}", least, most));
        return std::nullopt;
    }
    bool flag(std::string_view key) {
        const toml::node* const node = take(key);
        if (node == nullptr) return false;
        if (!node->is_boolean()) wrong(key, *node, "must be true or false");
        return node->value<bool>().value_or(false);
    }
    std::vector<std::string> texts(std::string_view key) {
        std::vector<std::string> values;
        const toml::node* const node = take(key);
        if (node == nullptr) return values;
        const toml::array* const list = node->as_array();
        if (list == nullptr) wrong(key, *node, "must be a list of texts");
        for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
            if (!list->get(i)->is_string()) wrong(key, *node, "must be a list of texts");
            else values.push_back(*list->get(i)->value<std::string>());
        }
        return values;
    }
    const toml::table* table(std::string_view key) {
        const toml::node* const node = take(key);
        if (node != nullptr && !node->is_table()) wrong(key, *node, "must be a table");
        return node == nullptr ? nullptr : node->as_table();
    }
    void refuse(std::string_view key, std::string_view what) {
        const toml::node* const node = table_.get(key);
        wrong(key, node == nullptr ? static_cast<const toml::node&>(table_) : *node, what);
    }

    // The first error of all, an unknown key's last.
    Result<> done() {
        for (const auto& [key, node] : table_) {
            if (taken_.contains(std::string{key.str()})) continue;
            std::vector<std::string_view> known{taken_.begin(), taken_.end()};
            const auto near = nearest(key.str(), known);
            wrong(escaped(key.str(), 64), node,
                  near ? fmt::format("is no key of it; did you mean '{}'?", *near) : "is no key of it");
        }
        if (error_) return *error_;
        return ok;
    }

private:
    const toml::node* take(std::string_view key) {
        taken_.emplace(key);
        return table_.get(key);
    }
    void wrong(std::string_view key, const toml::node& node, std::string_view what) {
        if (!error_)
            error_.emplace(Fault::invalid,
                           fmt::format("{}:{}: [{}] '{}' {}", file_, node.source().begin.line, path_, key, what));
    }

    const toml::table& table_;
    std::string path_;
    const std::string& file_;
    std::set<std::string, std::less<>> taken_;
    std::optional<Error> error_;
};

bool plain_word(std::string_view text) {
    return !text.empty() && text.size() <= 254 &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '<' && c != '>' && c != ','; });
}
bool address(std::string_view text) { return plain_word(text) && text.contains('@'); }

int per_minute_of(ReceiverKind kind) {
    switch (kind) {
        case ReceiverKind::webhook:
        case ReceiverKind::feishu: return 60;
        default: return 20;  // What DingTalk and WeCom allow a robot.
    }
}

void read_smtp(Table& table, Receiver& receiver) {
    receiver.host = table.text("host").value_or("");
    receiver.user = table.text("user").value_or("");
    receiver.password = table.text("password").value_or("");
    receiver.sender = table.text("sender").value_or("");
    receiver.recipients = table.texts("recipients");
    const std::string tls = table.text("tls").value_or("starttls");
    if (tls == "implicit") receiver.tls = SmtpTls::implicit;
    else if (tls == "none") receiver.tls = SmtpTls::none;
    else if (tls != "starttls") table.refuse("tls", "must be starttls, implicit or none");
    receiver.port = static_cast<std::uint16_t>(
        table.number("port", 1, 65535).value_or(receiver.tls == SmtpTls::implicit ? 465 : 587));
    if (!plain_word(receiver.host)) table.refuse("host", "must name the mail server");
    if (!address(receiver.sender)) table.refuse("sender", "must be a mail address");
    if (receiver.recipients.empty() || receiver.recipients.size() > 20)
        table.refuse("recipients", "must be 1 to 20 mail addresses");
    for (const std::string& recipient : receiver.recipients) {
        if (!address(recipient)) table.refuse("recipients", "must be mail addresses");
    }
    if (receiver.tls == SmtpTls::none && !receiver.user.empty()) table.refuse("user", "is not sent without TLS");
}

void read_url(Table& table, Receiver& receiver) {
    receiver.url = table.text("url").value_or("");
    receiver.secret = table.text("secret").value_or("");
    if (const auto parsed = parse_web_address(receiver.url); !parsed) table.refuse("url", parsed.error().text());
    if (receiver.kind == ReceiverKind::ntfy && !receiver.secret.empty() && !plain_word(receiver.secret))
        table.refuse("secret", "must be a token");
}

Result<Receiver> receiver_from(const toml::table& raw, const std::string& receiver_name, const std::string& file) {
    Table table{raw, "alert.receivers." + receiver_name, file};
    Receiver receiver{.name = receiver_name};
    const auto kind = receiver_kind_of(table.text("type").value_or(""));
    if (!kind) {
        table.refuse("type", "must be webhook, slack, ntfy, feishu, dingtalk, wecom, smtp or exec");
        return table.done().error();
    }
    receiver.kind = *kind;
    const auto from = severity_of(table.text("from").value_or("info"));
    if (!from) table.refuse("from", "must be info, day or wake");
    receiver.from = from.value_or(Severity::info);
    const std::string language = table.text("language").value_or("en");
    if (language == "zh") receiver.language = wording::Language::chinese;
    else if (language != "en") table.refuse("language", "must be en or zh");
    receiver.per_minute = static_cast<int>(table.number("per_minute", 1, 600).value_or(per_minute_of(receiver.kind)));
    if (receiver.kind == ReceiverKind::exec) {
        receiver.command = table.texts("command");
        if (receiver.command.empty() || !receiver.command.front().starts_with('/'))
            table.refuse("command", "must be a list: a program's absolute path, and its arguments");
    } else {
        receiver.ca_file = table.text("ca_file").value_or("");
        receiver.kind == ReceiverKind::smtp ? read_smtp(table, receiver) : read_url(table, receiver);
    }
    if (auto done = table.done(); !done) return done.take_error();
    return receiver;
}

Result<std::vector<Receiver>> receivers_from(const toml::table* raw, const std::string& file) {
    std::vector<Receiver> receivers;
    if (raw == nullptr) return receivers;
    if (raw->size() > receivers_max)
        return Error{Fault::invalid, fmt::format("{}: [alert.receivers] has more than {}", file, receivers_max)};
    for (const auto& [key, node] : *raw) {
        const std::string receiver_name{key.str()};
        if (!valid_rule_name(receiver_name) || !node.is_table()) {
            return Error{Fault::invalid,
                         fmt::format("{}:{}: [alert.receivers.{}] must be a table, its name of a-z, 0-9 and _", file,
                                     node.source().begin.line, escaped(receiver_name, 64))};
        }
        ASSAY_TRY(Receiver receiver, receiver_from(*node.as_table(), receiver_name, file));
        receivers.push_back(std::move(receiver));
    }
    return receivers;
}

// A name that nothing has would leave its rule open for ever, and nobody would be told.
std::optional<std::string> unknown_figure(const Condition& condition) {
    for (const std::string& name : condition.figures()) {
        if (std::ranges::find(known_figures(), name) != known_figures().end()) continue;
        const auto near = nearest(name, known_figures());
        return fmt::format("asks for '{}', which is no figure; {}", escaped(name, 64),
                           near ? fmt::format("did you mean '{}'?", *near)
                                : "docs/operating/metrics.md and docs/operating/alerts.md list them");
    }
    return std::nullopt;
}

// Changes a shipped rule in what is given, or makes a new one.
Result<> apply_rule(std::vector<Rule>& rules, const toml::table& raw, const std::string& rule_name,
                    const std::string& file) {
    Table table{raw, "alert.rules." + rule_name, file};
    const auto found = std::ranges::find(rules, rule_name, &Rule::name);
    const Rule* const old = found == rules.end() ? nullptr : &*found;
    const auto condition = table.text("condition");
    const auto severity_text = table.text("severity");
    const auto length = table.text("for");
    const auto cause = table.text("cause");
    const auto summary = table.text("summary");
    const bool off = table.flag("off");
    const auto severity = severity_of(severity_text.value_or("day"));
    if (!severity) table.refuse("severity", "must be info, day or wake");
    const auto for_ms = length ? parse_duration_ms(*length) : Result<std::int64_t>{old ? old->for_ms : 0};
    if (!for_ms) table.refuse("for", for_ms.error().text());
    if (!condition && old == nullptr)
        table.refuse("condition", "is missing, and there is no shipped rule of that name");
    if (condition) {
        const auto asked = Condition::parse(*condition);
        if (const auto unknown = asked ? unknown_figure(*asked) : std::nullopt) table.refuse("condition", *unknown);
    }
    if (summary && summary->size() > text_bytes_max) table.refuse("summary", "must be at most 300 bytes");
    if (auto done = table.done(); !done) return done.take_error();
    if (off) {
        std::erase_if(rules, [&](const Rule& rule) { return rule.name == rule_name; });
        return ok;
    }
    const std::string text = condition.value_or(old ? old->condition.text() : "");
    auto rule = rule_from({.name = rule_name,
                           .condition = text,
                           .for_ms = *for_ms,
                           .severity = severity_text || !old ? *severity : old->severity,
                           .cause = cause ? std::string_view{*cause}
                                    : old ? std::string_view{old->cause}
                                          : std::string_view{}});
    if (!rule) return rule.take_error().in(file);
    rule->summary = summary.value_or(old ? old->summary : "");
    if (old != nullptr) {
        rule->inhibits = old->inhibits;
        *found = std::move(*rule);
    } else {
        rules.push_back(std::move(*rule));
    }
    if (rules.size() > rules_max) return Error{Fault::invalid, fmt::format("{}: more than {} rules", file, rules_max)};
    return ok;
}

Result<> check_secret(Table& table, std::string_view where, const std::string& place, const std::string& secret,
                      std::string_view secret_key) {
    if (!place.empty() && secret.size() < secret_bytes_min)
        table.refuse(secret_key, fmt::format("must be at least {} bytes where '{}' is given", secret_bytes_min, where));
    return ok;
}

Result<toml::table> parsed(const std::string& text, const std::string& name) {
    try {
        return toml::parse(text, name);
    } catch (const toml::parse_error& error) {
        return Error{Fault::invalid, fmt::format("{}:{}: {}", name, error.source().begin.line, error.description())};
    }
}

}  // namespace

Result<Config> config_from_toml(const std::string& text, const std::string& name) {
    ASSAY_TRY(const toml::table file, parsed(text, name));
    Config config{.rules = shipped_rules()};
    const toml::node* const node = file.get("alert");
    if (node == nullptr) return config;
    if (!node->is_table())
        return Error{Fault::invalid, fmt::format("{}:{}: 'alert' must be a table", name, node->source().begin.line)};
    Table table{*node->as_table(), "alert", name};
    config.host = table.text("host").value_or("");
    config.digest_to = table.text("digest_to").value_or("");
    config.digest_secret = table.text("digest_secret").value_or("");
    ASSAY_CHECK(check_secret(table, "digest_to", config.digest_to, config.digest_secret, "digest_secret"));
    const toml::table* const receivers = table.table("receivers");
    const toml::table* const rules = table.table("rules");
    ASSAY_CHECK(table.done());
    ASSAY_TRY(config.receivers, receivers_from(receivers, name));
    if (rules == nullptr) return config;
    for (const auto& [key, rule] : *rules) {
        if (!rule.is_table())
            return Error{Fault::invalid, fmt::format("{}:{}: [alert.rules.{}] must be a table", name,
                                                     rule.source().begin.line, escaped(key.str(), 64))};
        ASSAY_CHECK(apply_rule(config.rules, *rule.as_table(), std::string{key.str()}, name));
    }
    return config;
}

Result<SentinelConfig> sentinel_config_from_toml(const std::string& text, const std::string& name) {
    ASSAY_TRY(const Config common, config_from_toml(text, name));
    ASSAY_TRY(const toml::table file, parsed(text, name));
    SentinelConfig config{.receivers = common.receivers};
    const toml::node* const node = file.get("sentinel");
    if (node == nullptr) return config;
    if (!node->is_table())
        return Error{Fault::invalid, fmt::format("{}:{}: 'sentinel' must be a table", name, node->source().begin.line)};
    Table table{*node->as_table(), "sentinel", name};
    config.name = table.text("name").value_or("");
    config.digest_listen = table.text("digest_listen").value_or("");
    config.digest_secret = table.text("digest_secret").value_or("");
    config.reference = table.text("reference").value_or("");
    config.state = table.text("state").value_or("");
    ASSAY_CHECK(check_secret(table, "digest_listen", config.digest_listen, config.digest_secret, "digest_secret"));
    ASSAY_CHECK(table.done());
    return config;
}

}  // namespace assay::alert
