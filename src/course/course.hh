// Course: what a teacher writes. Folders become revisions, CSV becomes participants. Parses hostile files, decides nothing
// about submissions.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/archive.hh"
#include "base/result.hh"
#include "model/plan.hh"
#include "store/blobs.hh"
#include "store/keys.hh"
#include "store/store.hh"

namespace assay::course {

constexpr std::int64_t folder_bytes_max = 64LL << 20;   // of a course's files together
constexpr std::size_t folder_files_max = 20'000;
constexpr std::size_t roster_bytes_max = 16u << 20;

// Reads a folder with the caller's rights: regular files only, symlinks refused by name, `.git` and other dot entries left out.
Result<std::vector<archive::SourceFile>> read_folder(const std::string& path);

struct CompiledModule {
    ModuleId id;
    std::string title;
    model::Plan plan;
    std::string revision_tar;    // its folder without samples/, deterministic
    std::string digest;          // SHA-256 of revision_tar
};
struct Compiled {
    store::Course course;
    std::vector<CompiledModule> modules;  // by id
    std::vector<std::string> warnings;
};
// Pure. Errors: invalid, naming file, line and what is accepted ("PA1/module.toml:12: unknown key 'memroy' in limits; did you
// mean 'memory'?"). What this version cannot do yet is refused with a sentence, never ignored. `default_timezone` for a course
// that names none.
Result<Compiled> compile(std::vector<archive::SourceFile> course_folder, const std::string& default_timezone);

// What this machine could ever admit, for the sanity refusals.
struct Machine {
    std::int64_t memory_bytes = 0;
    int cpus = 1;
    std::int64_t scratch_disk_bytes_max =
        std::numeric_limits<std::int64_t>::max();  // of one stage or test; 0: none is offered
    std::string scratch_disk_lacks;  // why there can be none; empty: nothing is known to be amiss
};

// Refuses what can never run well, naming the numbers. Errors: invalid.
Result<> check_fits(const CompiledModule&, const Machine&);

struct Images {
    std::function<Result<model::ImagePin>(const std::string& name)> find;  // what a name means now; errors: missing
    // Whether a program, as the first word of a command says it, is there; `search`: where a bare word is looked for.
    std::function<bool(const model::ImagePin&, const std::string& program, std::string_view search)> has;
};
// A module runs in what its image means now, until it is applied again. Errors: those of `find`, and invalid when a stage's program is
// not in the image; both name the module.
Result<> pin_image(CompiledModule&, const Images&);
Result<> pin_images(Compiled&, const Images&);

// Which current revisions run in an image.
struct ImageUse {
    std::string module;  // "ICS/PA1"
    std::string digest;
};
Result<std::vector<ImageUse>> image_uses(store::Store&);

struct Applied {
    std::vector<std::string> lines;  // the difference, one line each: "PA1: new (revision 1)"; then the warnings as "note: …"
    std::string json;                // the same for --json
};
// Idempotent: an unchanged module makes no revision. A removed folder archives its module. Blocking.
Result<Applied> apply(store::Store&, store::Blobs& revisions, const Compiled&, const Machine&, bool dry_run, std::int64_t now_ms);

// `assay course list --json`: [{id, title, modules: [{id, title, revision, open}]}]
Result<std::string> list_json(store::Store&, std::int64_t now_ms);
// The same for people, from that JSON. Errors: invalid.
Result<std::string> list_text(std::string_view list_json);
// What a server's problem document (RFC 9457) says happened; of anything else, the beginning of its text.
std::string problem_detail(std::string_view body);

struct RosterRow {
    std::string id, name, email, group, token, key;
};
// Header: id, optionally name, email, group, token, key; UTF-8 with or without BOM, or GB18030; RFC 4180 quoting. Blanks around a field do not
// count. Errors: invalid with the line, too_large.
Result<std::vector<RosterRow>> parse_roster(std::string_view csv);
std::string roster_csv(const std::vector<RosterRow>&);

struct Imported {
    std::int64_t added = 0;
    std::int64_t updated = 0;
    std::int64_t unchanged = 0;
    std::vector<std::string> inactive;  // ids that were made inactive
};
// Adds and updates, never removes: an empty field keeps what is stored, and who is named is active again. With `sync`, who is not
// named becomes inactive: his submissions stay, his token opens nothing. Missing tokens and keys are generated; an existing
// participant keeps his unless the file names others. All rows or none. Blocking. Errors: missing (no such course), conflict
// (a token or key is someone else's), the store's.
Result<Imported> import_roster(store::Store&, const store::Keys&, const CourseId&, const std::vector<RosterRow>&, bool sync = false);
std::string imported_text(const Imported&, bool json);
// Who takes part now: importing it again changes nothing. Errors: missing (no such course), the store's. Blocking.
Result<std::vector<RosterRow>> export_roster(store::Store&, const store::Keys&, const CourseId&);
std::string new_token();  // 4 groups of 4 Crockford base32 digits: "7H2K-9QXM-…" (80 bits)
std::string new_key();    // 24 of a-z 0-9 (124 bits)
// As people type them: case and dashes do not matter, O is 0, I and L are 1. What is no token comes back unchanged.
std::string normal_token(std::string_view typed);

}  // namespace assay::course
