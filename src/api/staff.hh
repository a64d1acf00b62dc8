// Staff's commands on the line, for the admin socket and, where no server runs, for the command itself. Blocking. Each returns
// what is printed.
#pragma once

#include <string>

#include "queue/staff.hh"

namespace assay::api {

enum class ModuleCommand { pause, resume };
enum class SubmissionCommand { hold, release, rejudge };

Result<std::string> act_on(store::Store&, ModuleCommand, const CourseId&, const ModuleId&, std::int64_t now_ms);
// `verdict`: its word, or empty for all. Errors: invalid (no such word), and those of queue::rejudge_all.
Result<std::string> rejudge_all(store::Store&, const CourseId&, const ModuleId&, const std::string& verdict);
Result<std::string> act_on(store::Store&, SubmissionCommand, const SubmissionId&, std::int64_t now_ms);
// As queue::cancel.
Result<queue::Cancelled> cancel(store::Store&, const SubmissionId&, std::int64_t now_ms);

// queue::queue_json with the catalogue's English sentences.
Result<std::string> queue_json(store::Store&, const queue::Board&, std::int64_t now_ms);

// What counts of each active participant in each module that is not archived, or in the module `only`, which may be: CSV with a
// header, or JSON with the same names. Errors: missing (no such course or module).
Result<std::string> grades(store::Store&, const queue::Board&, const CourseId&, const std::string& only, bool json, std::int64_t now_ms);

// The same people and modules: the submission that counts, else the newest, or all (at most 200 each), with what its archive is:
// [{id, module, submission, received_at, state, counts, sha256, size}].
Result<std::string> archives_json(store::Store&, const queue::Board&, const CourseId&, const std::string& only,
                                  bool all, std::int64_t now_ms);

}  // namespace assay::api
