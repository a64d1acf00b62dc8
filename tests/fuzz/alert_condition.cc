// A rule's condition, then a page of metrics, parted by a zero byte: what is written down, and what is judged by it.
#include <string_view>

#include "alert/condition.hh"
#include "alert/rule.hh"
#include "base/assert.hh"

namespace assay {

void fuzz(std::string_view input) {
    using namespace alert;
    const std::size_t parting = input.find('\0');
    const std::string_view page = parting == std::string_view::npos ? std::string_view{} : input.substr(parting + 1);
    Figures figures;
    add_metrics(figures, page);
    auto condition = Condition::parse(input.substr(0, parting));
    if (!condition) return;
    for (std::int64_t now_ms = 0; now_ms < 5; ++now_ms) (void)condition->judge(figures, now_ms * 1000);
    const auto evidence = condition->evidence();
    ASSAY_ASSERT(!evidence.empty());
    (void)filled_in(input, {.cause = "x", .offender = "y"}, evidence);
}

}  // namespace assay
