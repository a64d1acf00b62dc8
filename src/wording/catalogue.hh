// The sentences and labels of pages and answers, by name. Their texts stand in catalogue.cc.
#pragma once

#include <cstddef>
#include <utility>

#include "wording/wording.hh"

namespace assay::wording {

enum class Sentence : unsigned short {
    // Every page.
    language_other,         // the switch, in the language it leads to
    skip_to_content,
    footer,                 // {0} the version

    // The start page.
    home_title,
    home_lead,
    token_label,
    token_hint,
    home_open,
    home_token_is_secret,
    command_line_title,
    command_line_hint,
    get_link,
    get_lead,
    get_fill_in,
    get_linux,
    get_windows,
    get_download,           // {0} the file's name
    get_size,
    get_fetch,
    get_login,
    get_submit,
    get_curl,
    get_curl_hint,
    get_curl_windows,
    get_curl_windows_hint,
    token_in_address,
    modules_title,
    modules_lead,
    modules_none,
    module_open,            // {0} the module's title

    // Pages that are not there, or not now.
    not_found_title,
    not_found,
    go_home,
    refused_title,          // of an upload
    refused_back,
    trouble_title,
    trouble_busy,
    trouble_internal,       // {0} the request's number

    // Problems of the API: what it is, and what to do.
    no_such_route,
    no_such_route_cure,
    no_such_submission,
    no_such_submission_cure,
    no_result_yet,
    no_result_yet_cure,
    secret_in_query,
    secret_in_query_cure,
    token_in_header_cure,

    // The head of a module's page.
    score_title,
    score_none,
    score_from,             // {0} the submission's id
    score_pending,
    module_facts,
    opens_label,
    due_label,
    due_extended,           // of one participant alone
    closes_label,
    no_deadline,
    time_in_zone,           // {0} date and time, {1} the zone
    used_label,
    used_of,                // {0} used, {1} allowed
    used_any,               // {0} used
    counts_label,
    counts_last,
    counts_best,
    counts_last_on_time,
    contact_label,
    late_label,
    late_takes,             // {0} percent of the full score a day begun, {1} percent at most
    late_takes_nothing,
    late_grace,             // {0} what it costs, {1} how long after the due date it costs nothing
    pass_label,
    pass_from,              // {0} points
    pass_all,
    read_only_link,

    // The upload form.
    upload_title,
    upload_file,
    upload_file_hint,       // {0} size, {1} formats
    upload_send,
    upload_not_open,        // {0} date and time
    upload_closed,          // {0} date and time
    upload_another,
    reloading,
    reloading_stopped,
    reload_resume,

    // Said by the script. {0} stays for it to fill in.
    own_time,               // {0} date and time where the reader is
    sending_percent,        // {0} 0 … 100
    sending_checked,
    sending_failed,

    // One submission.
    received_notice,        // {0} id, {1} date and time
    names_converted,        // {0} how many
    receipt_link,
    receipt_hint,
    submissions_title,
    submissions_none,
    submissions_older,      // {0} how many are shown
    received_at,            // {0} date and time
    committed_at,           // {0} date and time
    commitments_open,       // {0} how many at most
    commitments_cure,
    commitments_form,
    commitments_too_large,  // {0} size
    counts_mark,
    late_mark,
    late_cost,              // {0} points taken, {1} points before
    late_free,
    revision_old,           // {0} its revision, {1} the current one
    waits_because,
    waits_since,            // {0} date and time
    position,               // {0} place in line
    expected_start,         // {0} date and time
    expected_unknown,
    running_now,
    running_stage,          // {0} the stage
    running_tests,          // {0} finished, {1} all
    running_waits,          // for what runs alone, or to run alone
    again,                  // a verdict that stays while a new one is made
    again_mark,
    partial_results,
    superseded_by,          // {0} the newer submission
    cancelled,
    passed_by_points,       // for a pass below the full score
    show_details,
    score_of,               // {0} score, {1} maximum: "87 / 100"

    // Stages and tests.
    report_title,
    stages_title,
    stage_column,
    result_column,
    points_column,
    cpu_column,
    wall_column,
    memory_column,
    tests_title,            // {0} the stage
    tests_passed,           // {0} passed, {1} all
    tests_left_out,         // {0} how many
    tests_not_kept,         // {0} how many
    test_column,
    test_hidden,            // beside its name
    test_after_due,
    tests_hidden_note,
    tests_after_due_note,
    machine_busy,           // beside its result
    machine_busy_note,
    memory_full,            // beside its result
    memory_full_note,
    first_try,              // {0} how it ended, {1} after how long
    exit_code,              // {0}
    signal,                 // {0}
    input,
    expected,
    got,
    errors,
    difference_text,        // {0} of one side, on one line
    difference_line_end,
    difference_end,
    difference_in_file,     // {0} its name, {1} the difference
    nothing,                // where an input or output is empty
    log_title,
    log_output,             // {0} the stage
    log_errors,             // {0} the stage
    log_dropped,            // {0} size
    log_cut,                // {0} size
    no_log,
    log_stage,              // the log as a text: {0} the stage, {1} how it ended
    log_busy,
    log_memory_full,        // {0} for how long
    log_test,               // {0} the test, {1} how it ended, {2} points
    log_message,            // what a grader says to the participant
    log_test_errors,        // {0} the test
    last_ = log_test_errors,
};

inline constexpr std::size_t sentence_count = static_cast<std::size_t>(std::to_underlying(Sentence::last_)) + 1;

}  // namespace assay::wording
