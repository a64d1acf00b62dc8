// What a host offers against load, for `assay check`: how early the server sees it, and what the kernel does by itself.
#pragma once

#include <string>
#include <vector>

#include "sandbox/survey.hh"

namespace assay::cli {

// Also what the flight recorder asks of the host: for this process and for good, so call it last.
std::vector<sandbox::Finding> load_findings();

// Each from the kernel's own texts; empty where there is no such file. For tests.
sandbox::Finding judge_pressure(const std::string& pressure_memory);
sandbox::Finding judge_lru_gen(const std::string& enabled, const std::string& min_ttl_ms);
sandbox::Finding judge_protection(const std::string& memory_min, bool version_2);

}  // namespace assay::cli
