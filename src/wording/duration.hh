// Durations for people, in a sentence of their language: "3.2 s", "2 min 5 s", "5 min"; "3.2 秒", "2 分 5 秒", "5 分钟". Pure.
#pragma once

#include <string>

#include "wording/wording.hh"

namespace assay::wording {

std::string duration(Language, double milliseconds);

}  // namespace assay::wording
