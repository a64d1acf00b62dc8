// Config: what `serve` can be told. assay.toml, overridden by ASSAY_… variables, overridden by flags; a wrong key or value is
// an error that names it. Only this room and cli know it as a whole.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "admission/thresholds.hh"
#include "alert/config.hh"
#include "base/result.hh"
#include "sandbox/helper.hh"

namespace assay::serve {

struct Config {
    std::string data;                      // default: /var/lib/assay as root, else ./assay-data
    std::string listen = "127.0.0.1:8080"; // port 0 picks a free one
    std::string ops_listen;                // metrics and health for whoever reaches it; empty: on admin.sock alone
    std::string user;                      // whom a directory that root owns is given to; empty: see DataDirectory
    std::string public_url;                // links and receipts; empty: the listening URL
    std::string clients;                   // the folder of the ready-made clients (web/clients.hh); empty: `clients` in `data`
    int slots = 0;                         // jobs at once, 1..64; 0 = one per core, at most 64
    // That each slot has to itself, and the server keeps off; there must be one more than all slots take. 0: all slots share all.
    int cores_per_slot = 0;
    // Of all jobs together, 1..10000, beside 100 of anything else on the machine; 0, "idle": they run when nothing else wants to.
    int cpu_weight = 0;
    // A control group directly below the root of the tree, as a service manager's unit has one, in which jobs run; empty: in the server's own.
    std::string jobs_group;
    // How fast the commands of one job may read from a disk, 4..1000000 and 100..1000000; 0: as fast as it can.
    sandbox::DiskPace disk_reads;
    // MiB that scratch on disk may have, of one stage or test, 1..4194304; 0: none is offered.
    int scratch_disk_mib_max = 0;
    // With less room on the disk of `data` no upload is taken and no job started; at least 32 MiB; 0 = a twentieth of the
    // file system, from 32 MiB to 1 GiB.
    std::int64_t disk_reserve_bytes = 0;
    // Bytes of uploads under way at once; more are left unread with their senders. At least 4 MiB; 0 = a quarter of the machine's memory,
    // from 256 MiB to 4 GiB.
    std::int64_t uploads_in_flight_bytes = 0;
    alert::Config alert;                   // the table [alert] of the file alone
    admission::Thresholds admission;       // the table [admission] of the file alone
    // The flight recorder's ring on the disk; 0: none, what it keeps ends with the machine; nullopt: by the disk's size.
    std::optional<std::int64_t> recorder_bytes;
};

struct Setting {
    Setting() = default;
    Setting(std::string v, std::string p = {}) : value{std::move(v)}, place{std::move(p)} {}
    Setting(const char* v) : value{v} {}
    std::string value;
    std::string place;  // "assay.toml:3", "ASSAY_SLOTS"; empty: a flag, whose name is the key's
};
// Settings of one source by name ("data", "listen", "ops_listen", "user", "public_url", "clients", "slots", "cores_per_slot", "cpu_weight", "jobs_group",
// "disk_read_mib_per_s", "disk_reads_per_s", "scratch_disk_mib_max", "disk_reserve", "uploads_in_flight", "recorder_size").
using Settings = std::map<std::string, Setting>;

// The tables [alert] and [sentinel] are left to the room alert, [admission] to thresholds_from_toml. Errors: invalid, naming file, line
// and key.
Result<Settings> settings_from_toml(const std::string& text, const std::string& name);
// What [admission] says of it, the rest as it is (docs/operating/admission.md). Errors: invalid, naming file, line and key.
Result<admission::Thresholds> thresholds_from_toml(const std::string& text, const std::string& name);
// ASSAY_DATA, ASSAY_LISTEN, … of `environment` ("NAME=value"); others with that prefix are left alone: some are of participants'
// commands, and whoever runs services in containers gives them variables named after each other.
Settings settings_from_environment(const char* const* environment);
// Of those others the ones that look like a setting's, misspelt.
struct MistakenVariable {
    std::string name, meant;
};
std::vector<MistakenVariable> mistaken_variables(const char* const* environment);

// Later sources win, but each is judged whole. Errors: invalid, naming the setting and its place.
Result<Config> config_from(const std::vector<Settings>& sources, bool as_root);

// Jobs at once on a machine of `cores`, at most sandbox::slots_max. Pure. Errors: invalid, when not even one core stays for the server.
Result<int> slots_of(const Config&, int cores);

// The file to read: `given`, else ./assay.toml, else /etc/assay/assay.toml, else none.
std::optional<std::string> config_path(const std::string& given);

}  // namespace assay::serve
