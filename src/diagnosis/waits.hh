// Waits: who of a tree waits for whom. Pure.
#pragma once

#include <string>
#include <vector>

#include "diagnosis/observed.hh"

namespace assay::diagnosis {

struct At {
    const Process* process = nullptr;
    const Thread* thread = nullptr;
    explicit operator bool() const { return thread != nullptr; }
    bool operator==(const At&) const = default;
};
std::string name_of(const At&);  // "python3[1234]", with its thread's name and number where it is not the first
std::string name_of(const Process&);
std::string name_of_peer(const Observed&, int pid);  // also of those not in the tree

bool waits(const Thread&);  // in one place nearly all the time

// Threads that nobody can ever wake: each waits without a time limit, and whoever could end that is among them. What each waits for
// may have several who could end it, any of whom suffices; so this is the largest set that stays when all who can still be woken are
// taken out, one after the other.
std::vector<At> stuck(const Observed&);

// A cycle in a set of stuck threads, or a chain that ends at one whom nobody can wake; as a sentence, "A waits for X of B; B …".
std::string cycle(const Observed&, const std::vector<At>& stuck);

// The thread at the end of the chain that begins at the tree's first: whoever the first waits for waits for it.
At end_of_chain(const Observed&);

}  // namespace assay::diagnosis
