// What comes from receivers and from disk: a web answer, mail replies, an address, kept state, and the configuration's tables.
#include <string_view>

#include "alert/config.hh"
#include "alert/state.hh"
#include "alert/wire.hh"
#include "base/assert.hh"

namespace assay {

void fuzz(std::string_view input) {
    using namespace alert;
    for (const bool ended : {false, true}) {
        if (const auto answer = read_answer(input, ended); answer && *answer) {
            ASSAY_ASSERT((*answer)->status >= 200);
            (void)judge_answer(ReceiverKind::feishu, (*answer)->status, (*answer)->body);
        }
    }
    std::string bytes{input};
    while (true) {
        const auto reply = take_reply(bytes);
        if (!reply || !*reply) break;
        ASSAY_ASSERT(!(*reply)->lines.empty());
    }
    (void)parse_web_address(input);
    (void)dot_stuffed(input);
    if (const auto state = state_from_json(input)) ASSAY_ASSERT(state_from_json(to_json(*state)).has_value());
    (void)config_from_toml(std::string{input}, "fuzz");
}

}  // namespace assay
