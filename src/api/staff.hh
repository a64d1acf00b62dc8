// Staff's commands on the line, for the admin socket and, where no server runs, for the command itself. Blocking. Each returns
// what is printed.
#pragma once

#include <string>

#include "queue/staff.hh"

namespace assay::api {

enum class ModuleCommand { pause, resume };
enum class SubmissionCommand { hold, release, rejudge };

Result<std::string> act_on(store::Store&, ModuleCommand, const CourseId&, const ModuleId&, std::int64_t now_ms);
Result<std::string> act_on(store::Store&, SubmissionCommand, const SubmissionId&, std::int64_t now_ms);

// queue::queue_json with the catalogue's English sentences.
Result<std::string> queue_json(store::Store&, const queue::Board&, std::int64_t now_ms);

}  // namespace assay::api
