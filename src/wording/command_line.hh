// What the commands of a participant say: pack, verify, submit, login. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "wording/wording.hh"

namespace assay::wording {

enum class Told : unsigned char {
    left_out,         // {0} path
    packed,           // {0} file, {1} its size, {2} entries, {3} size of their contents, {4} SHA-256
    sound,            // {0} file, {1} format, {2} entries, {3} size of their contents
    stripped,         // {0} folder; behind `sound`
    converted,        // {0} how many, {1} the encoding
    refused_file,     // {0} file, {1} the code, {2} what is wrong
    file_too_large,   // {0} limit, {1} size, both in bytes
    closed_now,       // {0} opens, {1} closes
    opens_at_once,
    closes_never,
    sending,          // {0} size, {1} of size, {2} percent
    received,         // {0} id, {1} time
    received_before,  // the same, when the server had it already
    interrupted,
    no_server,        // {0} the project file's name
    no_module,
    token_prompt,
    no_token,
    token_kept,       // {0} server, {1} file
    last_ = token_kept,
};

// {0}, {1}, … are replaced by the arguments as they are: the caller escapes.
std::string say(Language, Told, std::initializer_list<std::string_view> arguments = {});

// By the value of LC_ALL, LC_MESSAGES or LANG, whichever of them is set first: "zh_CN.UTF-8". English when it says nothing we speak.
Language language_of_locale(std::string_view locale);

}  // namespace assay::wording
