// What the commands of a participant say: pack, verify, submit, login. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "wording/wording.hh"

namespace assay::wording {

enum class Told : unsigned char {
    left_out,         // {0} path, {1} why
    packed,           // {0} file, {1} its size, {2} entries, {3} size of their contents, {4} SHA-256
    sound,            // {0} file, {1} format, {2} entries, {3} size of their contents
    stripped,         // {0} folder; behind `sound`
    converted,        // {0} how many, {1} the encoding
    refused_file,     // {0} file, {1} the code, {2} what is wrong
    file_too_large,   // {0} limit, {1} size, both in bytes
    nothing_there,    // {0} path
    largest_files,    // {0} names and sizes; behind `file_too_large`
    closed_now,       // {0} opens, {1} closes
    opens_at_once,
    closes_never,
    packing,          // as the two below
    packing_fast,
    sending,          // {0} size, {1} of size, {2} percent
    sending_fast,     // the same, {3} size a second, {4} time left
    received,         // {0} id, {1} time
    received_before,  // the same, when the server had it already
    interrupted,
    no_server,        // {0} the project file's name
    no_module,
    token_prompt,
    no_token,
    token_kept,       // {0} server, {1} file
    // What is handed in, before it is.
    plan_folder,      // {0} entries, {1} size of their contents, {2} size packed, {3} format
    plan_file,        // {0} entries, {1} size of their contents, {2} size packed, {3} format
    plan_to,          // {0} course, {1} module, {2} server
    plan_limits,      // {0} size packed, {1} size unpacked, {2} entries, {3} formats
    plan_required,    // {0} globs
    plan_due,         // {0} time, {1} zone, {2} time left
    plan_was_due,     // {0} time, {1} zone
    plan_closes,      // {0} time, {1} zone, {2} time left
    plan_no_deadline,
    plan_goes,
    plan_largest,
    plan_stays,       // {0} how many
    plan_more,        // {0} how many more
    stays_tool,
    stays_module,     // {0} the pattern
    nothing_sent,     // --dry-run
    left_days,        // {0} days, {1} hours
    left_hours,       // {0} hours, {1} minutes
    left_minutes,     // {0} minutes
    // Warnings.
    warning,          // {0} what
    crlf_script,      // {0} path
    crlf_makefile,    // {0} path
    product,          // {0} path, {1} size, {2} rule
    products,         // {0} the first path, {1} size, {2} rule, {3} how many
    windows_name,     // {0} path
    kept_back,        // {0} path, {1} file, line and rule
    // Refused before anything was sent.
    kept_back_required,  // {0} path, {1} the module's glob, {2} file, {3} line, {4} rule
    kept_back_cure,      // {0} rule for .assayignore
    root_below,       // {0} folder
    root_above,
    no_plain_file,    // {0} path
    in_the_folder,    // {0} path
    not_whole,        // {0} what cannot be read, and why
    // Why a file cannot be packed: {0} path, {1} how often it was tried, {2} the system's words, or a bound.
    file_shrank,
    file_grew,
    file_rewritten,
    file_written,
    file_locked,
    file_denied,
    file_vanished,
    file_unreadable,
    file_no_file,
    file_too_long,
    file_written_by,   // behind these; {0} processes
    file_held_by,      // the same, where it is not known what they do with it
    file_holder,       // {0} name, {1} number of the process
    file_holder_next,  // between two of them
    not_counted,
    perhaps_arrived,  // {0} key
    // pack, and verify of a receipt.
    pack_suffix,      // {0} file
    receipt_genuine,  // {0} id, {1} participant, {2} course, {3} module, {4} bytes, {5} time
    commitment_genuine,  // {0} participant, {1} course, {2} module, {3} bytes, {4} time, {5} time
    // What is wrong with one: {0} receipt_word or commitment_word.
    receipt_word,
    commitment_word,
    proof_unreadable,  // {1} how (English)
    proof_type,        // {1} the type it should have
    proof_text_missing,  // {1} the field
    proof_size_missing,
    proof_key_size,    // takes no {0}
    proof_signature_unreadable,
    proof_other_key,   // {1} the key's id
    proof_members_more,
    proof_signature_wrong,
    receipt_other,    // {0} file
    receipt_server,   // {0} server
    receipt_key_hint, // {0} why the file cannot be read
    receipt_no_keys,
    receipt_key_missing,  // {0} the key's id
    receipt_not_kept, // {0} why
    // While it is sent
    committed,        // {0} time, {1} time
    not_committed,    // {0} why
    in_parts,
    goes_on,
    waits,            // {0} why, {1} for how long
    answers_again,    // {0} size, {1} of size
    silent_connecting,  // {0} server, {1} seconds
    silent_network,   // {0} server, {1} seconds, {2} seconds that it is waited yet
    silent_server,    // likewise
    silent_upload,    // behind these
    goes_on_again,
    arrived,          // {0} size, {1} of size; before `goes_on_again`
    last_ = arrived,
};

// {0}, {1}, … are replaced by the arguments as they are: the caller escapes.
std::string say(Language, Told, std::initializer_list<std::string_view> arguments = {});

// By the value of LC_ALL, LC_MESSAGES or LANG, whichever of them is set first: "zh_CN.UTF-8". English when it says nothing we speak.
Language language_of_locale(std::string_view locale);

}  // namespace assay::wording
