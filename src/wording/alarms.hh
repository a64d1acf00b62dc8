// What staff are told when something goes wrong with the server: a headline and what to do for each shipped rule, and the words
// around them. Pure.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "wording/wording.hh"

namespace assay::wording {

enum class AlarmWord : unsigned char {
    wake,  // severities
    day,
    info,
    resolved,  // behind it the headline
    repeated,
    escalated,
    test,
    test_line,  // what a test message says
    cause,  // {0} what
    offender,  // {0} who
    advice,  // {0} what to do
    since,  // {0} time
    lasted,  // {0} duration, {1} time of its end
    flapping,
    harm,  // {0} uploads refused, {1} attempts failed, {2} verdicts that are our fault, {3} answers failed
    no_harm,
    harm_unknown,
};
std::string say(Language, AlarmWord, std::initializer_list<std::string_view> arguments = {});

// By the rule's name; nullopt: it is none of ours.
std::optional<std::string> alarm_headline(Language, std::string_view rule);
std::optional<std::string> alarm_advice(Language, std::string_view rule);

}  // namespace assay::wording
