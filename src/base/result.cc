#include "base/result.hh"

namespace assay {

std::string_view to_string(Fault fault) {
    switch (fault) {
        case Fault::invalid: return "invalid";
        case Fault::missing: return "missing";
        case Fault::denied: return "denied";
        case Fault::conflict: return "conflict";
        case Fault::too_large: return "too_large";
        case Fault::busy: return "busy";
        case Fault::timed_out: return "timed_out";
        case Fault::disk_full: return "disk_full";
        case Fault::disk_failed: return "disk_failed";
        case Fault::interrupted: return "interrupted";
        case Fault::unsupported: return "unsupported";
        case Fault::unreachable: return "unreachable";
        case Fault::system: return "system";
        case Fault::internal: return "internal";
    }
    return "internal";
}

}  // namespace assay
