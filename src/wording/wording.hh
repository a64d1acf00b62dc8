// Wording: every sentence a person reads, in English and Simplified Chinese, in one catalogue (catalogue.cc). A sentence that
// lacks a language does not compile. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "model/report.hh"
#include "model/wait_detail.hh"
#include "model/words.hh"

namespace assay::wording {

enum class Language { english, chinese };
std::string_view tag(Language);                            // "en", "zh-CN"
// The best of Accept-Language, or `fallback`.
Language choose(std::string_view accept_language, Language fallback = Language::english);

// One enumerator per sentence or label of pages and answers; the list is catalogue.hh.
enum class Sentence : unsigned short;

// {0}, {1}, … are replaced by the arguments as they are: the caller escapes for its sink.
std::string say(Language, Sentence, std::initializer_list<std::string_view> arguments = {});

// What it means and what to do, for each closed set.
std::string sentence(Language, model::Refusal);
// The two halves of that sentence: what it means, without its full stop; and what to do.
std::string meaning(Language, model::Refusal);
std::string next_step(Language, model::Refusal);
std::string sentence(Language, model::Reason);
std::string sentence(Language, model::Verdict);            // "stopped at its CPU-time limit"
// Short texts to stand below another: "line 2, column 3: expected “o”, got “x”", "2 of 2 slots are busy".
std::string sentence(Language, const model::Difference&);
std::string sentence(Language, const model::WaitDetail&);
std::string name(Language, model::State);                  // "waiting", "running", …
std::string name(Language, model::Verdict);                // "passed", "time limit", …

}  // namespace assay::wording
