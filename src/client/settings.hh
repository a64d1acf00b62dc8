// Settings: which server, course and module a participant means, and with which token. A flag wins over a variable
// (ASSAY_SERVER, ASSAY_COURSE, ASSAY_MODULE, ASSAY_CA_FILE, ASSAY_TOKEN), that over the project's .assay.toml (found upward), that over the
// user's own file.
//
// A stored token belongs to a server and a course, and is sent nowhere else: a project's file that names another server gets none.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "wording/wording.hh"

namespace assay::client {

constexpr std::string_view project_file_name = ".assay.toml";
constexpr std::size_t settings_bytes_max = 64u << 10;
constexpr int folders_upward_max = 64;

struct Settings {
    std::optional<std::string> server;
    std::optional<std::string> course;
    std::optional<std::string> module;
    std::optional<std::string> ca_file;  // whose certificates are believed; never a project's to say
};
// `server`, `course`, `module`, `ca_file`; `name` is for errors. Errors: invalid (with file and line).
Result<Settings> settings_from_toml(const std::string& text, const std::string& name, wording::Language);
// What `first` does not say is taken from `then`.
Settings over(Settings first, const Settings& then);

// Where the environment says what; a name that is not set, or set to nothing, is nullopt.
using Variables = std::function<std::optional<std::string>(const char* name)>;
Settings settings_from(const Variables&);
// $XDG_CONFIG_HOME/assay, else %APPDATA%/assay, else $HOME/.config/assay; "" when none is set.
std::string user_folder(const Variables&);

// Flags, variables, the project's file above `folder`, the user's file, in this order.
Result<Settings> settings(const Settings& flags, const Variables&, const std::string& folder, wording::Language);

// --- Tokens: FOLDER/tokens, one "SERVER COURSE TOKEN" a line; COURSE is * for any.

struct StoredToken {
    std::string server;
    std::string course;
    std::string token;
};
Result<std::vector<StoredToken>> tokens_from(std::string_view text,
                                             wording::Language);  // errors: invalid (with the line)
struct FoundToken {
    std::string token;
    std::string warning;  // others can read the file; with the command that mends it
};
// Errors: missing (what to do), invalid.
Result<FoundToken> token_for(const Variables&, const std::string& server, const std::string& course, wording::Language);
// Replaces the one for this server and course. Returns the file's path. Errors: invalid (the token cannot be one), denied, system.
Result<std::string> store_token(const Variables&, const StoredToken&, wording::Language);

}  // namespace assay::client
