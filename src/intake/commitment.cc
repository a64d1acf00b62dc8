#include "intake/commitment.hh"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/json.hh"

namespace assay::intake {
namespace {

using wording::FormFault;

bool same(const store::Commitment& one, std::string_view sha256, std::int64_t size) {
    return one.sha256 == sha256 && one.size == size;
}

}  // namespace

std::expected<CommitmentAsked, FormProblem> commitment_asked(std::string_view text) {
    const auto wrong = [](FormFault fault, std::string argument) {
        return std::unexpected{FormProblem{fault, std::move(argument)}};
    };
    const auto json =
        model::parse_json(text, {.size_max = commitment_request_bytes_max, .depth_max = 2, .values_max = 32});
    if (!json) return wrong(FormFault::json_broken, json.error().text());
    CommitmentAsked asked;
    Fields fields;
    for (const auto& [name, to] :
         {std::pair{"course", &asked.course}, {"module", &asked.module}, {"sha256", &asked.sha256}}) {
        const auto at = json->is_object() ? json->find(name) : json->end();
        if (at == json->end() || !at->is_string() || at->get_ref<const std::string&>().empty())
            return wrong(FormFault::field_missing, name);
        *to = at->get<std::string>();
    }
    const auto size = json->find("size");
    if (size == json->end()) return wrong(FormFault::field_missing, "size");
    fields.sha256 = asked.sha256;
    fields.size = size->is_number_integer() ? size->dump() : "";
    const auto declared = declared_of(http::Request{}, fields, false);
    if (!declared) return std::unexpected{declared.error()};
    asked.sha256 = *declared->sha256;
    asked.size = *declared->size;
    return asked;
}

CommitmentDecision decide_commitment(std::span<const store::Commitment> made, std::string_view sha256,
                                     std::int64_t size, std::int64_t at_ms) {
    using Kind = CommitmentDecision::Kind;
    std::int64_t open = 0;
    std::optional<std::int64_t> first_lapse_ms;
    for (const store::Commitment& one : made) {
        if (one.until_ms < at_ms) continue;
        if (same(one, sha256, size)) return {.kind = Kind::again, .document = one.document, .wait_ms = 0};
        if (one.submission) continue;
        ++open;
        first_lapse_ms = std::min(one.until_ms, first_lapse_ms.value_or(one.until_ms));
    }
    if (open < open_commitments_max) return {};
    return {.kind = Kind::too_many, .document = {}, .wait_ms = *first_lapse_ms - at_ms};
}

std::optional<std::int64_t> committed_ms(std::span<const store::Commitment> made, std::string_view sha256,
                                         std::int64_t size, std::int64_t last_byte_ms) {
    std::optional<std::int64_t> earliest;
    for (const store::Commitment& one : made) {
        const bool in_its_time = one.committed_ms <= last_byte_ms && last_byte_ms <= one.until_ms;
        if (in_its_time && same(one, sha256, size))
            earliest = std::min(one.committed_ms, earliest.value_or(one.committed_ms));
    }
    return earliest;
}

}  // namespace assay::intake
