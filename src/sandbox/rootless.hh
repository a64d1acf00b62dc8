// Rootless: root of a user namespace of one's own, for whoever is not root of the machine and wants to run something in a sandbox.
//
// Sandboxes need a range of uids; of the user's subordinate ones (subuid(5)) newuidmap and newgidmap map them, as for rootless containers. In
// the namespace the sandbox is the same as for root, but that limits which need control groups are only as good as what a service manager has
// delegated to the user.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hh"

namespace assay::sandbox {

struct Subordinate {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    bool operator==(const Subordinate&) const = default;
};
constexpr std::uint32_t subordinates_min = 8'192;  // room for first_uid_for
constexpr std::uint32_t subordinates_max = 65'536;

// The largest range for the user in the text of /etc/subuid or /etc/subgid ("NAME:FIRST:COUNT", or the uid in NAME's place); nullopt: none
// of at least subordinates_min. Pure.
std::optional<Subordinate> subordinate_in(std::string_view text, std::string_view name, std::uint32_t uid);

// Whether the calling user could become_own_root: ok, or what is missing and what to do about it.
Result<> may_become_own_root();

// Starts this program again, with the same arguments, as the first process of namespaces (user, mount, pid, network) of its own, as root
// there, with a /proc that shows them. (Again, because what a process may do to those it starts hangs on where its program began.) The caller
// is single-threaded, and stays outside: it hands SIGINT, SIGTERM and SIGHUP on, ends with the exit code of the one inside, and takes that
// one with it when it is killed. Returns only errors: unsupported, with what to do.
Error become_own_root();

}  // namespace assay::sandbox
