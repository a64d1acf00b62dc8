#include "alert/condition.hh"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/text.hh"

namespace assay::alert {
namespace {

bool word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool word_char(char c) { return word_start(c) || (c >= '0' && c <= '9'); }
bool space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

constexpr std::string_view relation_texts[] = {"<", "<=", ">", ">=", "==", "!="};

}  // namespace

// A parser by recursive descent; depth is bounded, and each step takes at least a byte.
class ConditionParser {
public:
    using Node = Condition::Node;
    using Kind = Condition::Kind;
    using Over = Condition::Over;

    explicit ConditionParser(std::string_view text) : text_{text} {}

    Result<Node> whole() {
        ASSAY_TRY(Node node, any(0));
        skip_space();
        if (at_ != text_.size()) return wrong("'and', 'or' or the end");
        return node;
    }

private:
    Error wrong(std::string_view wanted) const {
        return {Fault::invalid, fmt::format("condition: at byte {}: expected {}, found '{}'", at_ + 1, wanted,
                                            escaped(text_.substr(at_), 24))};
    }

    void skip_space() {
        while (at_ < text_.size() && space(text_[at_])) ++at_;
    }

    bool take(std::string_view wanted) {
        skip_space();
        if (!text_.substr(at_).starts_with(wanted)) return false;
        at_ += wanted.size();
        return true;
    }

    std::string_view peek_word() {
        skip_space();
        std::size_t end = at_;
        while (end < text_.size() && (end == at_ ? word_start(text_[end]) : word_char(text_[end]))) ++end;
        return text_.substr(at_, end - at_);
    }

    bool take_word(std::string_view wanted) {
        if (peek_word() != wanted) return false;
        at_ += wanted.size();
        return true;
    }

    Result<Node> any(int depth) { return chain(depth, Kind::any, "or"); }

    // Parts of one kind joined by a word: "or" binds less than "and".
    Result<Node> chain(int depth, Kind kind, std::string_view word) {
        const auto part = [&]() -> Result<Node> {
            return kind == Kind::any ? chain(depth, Kind::all, "and") : one(depth);
        };
        ASSAY_TRY(Node first, part());
        if (peek_word() != word) return first;
        Node node{.kind = kind, .parts = {}};
        node.parts.push_back(std::move(first));
        while (take_word(word)) {
            ASSAY_TRY(Node next, part());
            node.parts.push_back(std::move(next));
        }
        return node;
    }

    Result<Node> one(int depth) {
        if (depth >= Condition::depth_max)
            return Error{Fault::too_large, fmt::format("condition: nested deeper than {}", Condition::depth_max)};
        if (take_word("not")) {
            ASSAY_TRY(Node inner, one(depth + 1));
            Node node{.kind = Kind::negated, .parts = {}};
            node.parts.push_back(std::move(inner));
            return node;
        }
        if (take("(")) {
            ASSAY_TRY(Node inner, any(depth + 1));
            if (!take(")")) return wrong("')'");
            return inner;
        }
        return comparison();
    }

    Result<Node> comparison() {
        skip_space();
        const std::size_t begin = at_;
        Node node;
        const std::string_view word = peek_word();
        if (word.empty()) return wrong("the name of a figure");
        at_ += word.size();
        if (take("(")) {
            ASSAY_TRY(node.over, over_of(word, begin));
            const std::string_view figure = peek_word();
            if (figure.empty()) return wrong("the name of a figure");
            at_ += figure.size();
            ASSAY_CHECK(selection(node, figure));
            if (!take(",")) return wrong("',' and a window such as 10min");
            ASSAY_TRY(const std::int64_t window_ms, window());
            node.history.emplace(window_ms);
            if (!take(")")) return wrong("')'");
        } else {
            ASSAY_CHECK(selection(node, word));
        }
        node.shown = std::string{trimmed(text_.substr(begin, at_ - begin))};
        ASSAY_TRY(node.relation, relation());
        ASSAY_TRY(node.bound, number());
        return node;
    }

    Result<Over> over_of(std::string_view word, std::size_t begin) {
        constexpr std::array<std::pair<std::string_view, Over>, 6> known{{{"rate", Over::rate},
                                                                          {"increase", Over::increase},
                                                                          {"change", Over::change},
                                                                          {"avg", Over::average},
                                                                          {"max", Over::largest},
                                                                          {"min", Over::smallest}}};
        for (const auto& [name, over] : known) {
            if (name == word) return over;
        }
        at_ = begin;
        return wrong("rate, increase, change, avg, max or min before '('");
    }

    Result<> selection(Node& node, std::string_view figure) {
        node.figure = std::string{figure};
        if (at_ >= text_.size() || text_[at_] != '{') return ok;
        const std::size_t end = text_.find('}', at_);
        if (end == std::string_view::npos) return wrong("'}' behind the labels");
        node.labels = split_labels(text_.substr(at_ + 1, end - at_ - 1));
        for (const std::string& label : node.labels) {
            if (label.find("=\"") == std::string::npos || !label.ends_with('"'))
                return wrong("labels such as {reason=\"slot\"}");
        }
        at_ = end + 1;
        return ok;
    }

    Result<std::int64_t> window() {
        skip_space();
        const std::size_t end = text_.find(')', at_);
        const std::string_view text =
            trimmed(text_.substr(at_, end == std::string_view::npos ? std::string_view::npos : end - at_));
        const auto window_ms = parse_duration_ms(text);
        if (!window_ms || *window_ms < 1000 || *window_ms > window_ms_max)
            return wrong("a window from 1s to 24h, such as 10min");
        at_ = end == std::string_view::npos ? text_.size() : end;
        return *window_ms;
    }

    Result<Condition::Relation> relation() {
        using enum Condition::Relation;
        // The longer ones first.
        if (take("<=")) return less_equal;
        if (take(">=")) return greater_equal;
        if (take("==")) return equal;
        if (take("!=")) return unequal;
        if (take("<")) return less;
        if (take(">")) return greater;
        return wrong("one of < <= > >= == !=");
    }

    Result<double> number() {
        skip_space();
        double value = 0;
        const auto [end, failure] =
            std::from_chars(text_.data() + at_, text_.data() + text_.size(), value, std::chars_format::fixed);
        if (failure != std::errc{} || (end < text_.data() + text_.size() && word_char(*end))) return wrong("a number");
        at_ = static_cast<std::size_t>(end - text_.data());
        return value;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

Result<Condition> Condition::parse(std::string_view text) {
    if (text.size() > size_max)
        return Error{Fault::too_large, fmt::format("condition: longer than {} bytes", size_max)};
    ConditionParser parser{text};
    Condition condition;
    ASSAY_TRY(condition.root_, parser.whole());
    condition.text_ = std::string{text};
    return condition;
}

std::optional<bool> Condition::judge(const Figures& figures, std::int64_t now_ms) {
    return judge(root_, figures, now_ms);
}

std::optional<bool> Condition::judge(Node& node, const Figures& figures, std::int64_t now_ms) {
    if (node.kind != Kind::comparison) {
        // Every part is judged, so that each has its history; then three-valued logic.
        bool any_true = false, any_false = false, any_open = false;
        for (Node& part : node.parts) {
            const auto judged = judge(part, figures, now_ms);
            any_true |= judged == true;
            any_false |= judged == false;
            any_open |= !judged;
        }
        if (node.kind == Kind::negated) return any_open ? std::nullopt : std::optional{any_false};
        const bool decided = node.kind == Kind::any ? any_true : any_false;
        if (decided) return node.kind == Kind::any;
        return any_open ? std::nullopt : std::optional{node.kind == Kind::all};
    }
    node.value = figures.sum(node.figure, node.labels);
    if (node.history) {
        const bool counter = node.over == Over::rate || node.over == Over::increase;
        if (!node.value && counter && figures.counted) node.value = 0;
        if (!node.value) return std::nullopt;
        node.history->add(*node.value, now_ms);
        switch (node.over) {
            case Over::rate: node.value = node.history->rate(); break;
            case Over::increase: node.value = node.history->increase(); break;
            case Over::change: node.value = node.history->change(); break;
            case Over::average: node.value = node.history->average(); break;
            case Over::largest: node.value = node.history->largest(); break;
            case Over::smallest: node.value = node.history->smallest(); break;
            case Over::now: break;
        }
    }
    if (!node.value) return std::nullopt;
    switch (node.relation) {
        case Relation::less: return *node.value < node.bound;
        case Relation::less_equal: return *node.value <= node.bound;
        case Relation::greater: return *node.value > node.bound;
        case Relation::greater_equal: return *node.value >= node.bound;
        case Relation::equal: return *node.value == node.bound;
        case Relation::unequal: return *node.value != node.bound;
    }
    return std::nullopt;
}

std::vector<std::string> Condition::evidence() const {
    std::vector<std::string> lines;
    add_evidence(root_, lines);
    return lines;
}

std::vector<std::string> Condition::figures() const {
    std::vector<std::string> names;
    add_figures(root_, names);
    return names;
}

void Condition::add_figures(const Node& node, std::vector<std::string>& names) {
    for (const Node& part : node.parts) add_figures(part, names);
    if (node.kind == Kind::comparison) names.push_back(node.figure);
}

void Condition::add_evidence(const Node& node, std::vector<std::string>& lines) {
    for (const Node& part : node.parts) add_evidence(part, lines);
    if (node.kind != Kind::comparison) return;
    const std::string value = node.value ? fmt::format("{:.6g}", *node.value) : "not known";
    lines.push_back(fmt::format("{} = {} ({} {:.6g})", node.shown, value,
                                relation_texts[static_cast<std::size_t>(node.relation)], node.bound));
}

}  // namespace assay::alert
