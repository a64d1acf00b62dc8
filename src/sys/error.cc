#include "sys/error.hh"

#include <cerrno>
#include <cstring>

#include "base/text.hh"

namespace assay::sys {

Error last_error(std::string_view call, std::string_view subject) {
    const int saved = errno;  // First line: anything below may overwrite it.
    return error_of(saved, call, subject);
}

Error error_of(int number, std::string_view call, std::string_view subject) {
    const auto fault = [&] {
        switch (number) {
            case ENOENT: return Fault::missing;
            case EACCES: case EPERM: case ELOOP: case EXDEV: return Fault::denied;
            case ENOSPC: case EDQUOT: return Fault::disk_full;
            case EIO: return Fault::disk_failed;
            case EEXIST: return Fault::conflict;
            case EPIPE: case ECONNRESET: case ECONNREFUSED: return Fault::unreachable;
            case ETIMEDOUT: return Fault::timed_out;
            default: return Fault::system;
        }
    }();
    return {fault, std::string{call} + "(" + escaped(subject) + "): " + ::strerrordesc_np(number)};
}

}  // namespace assay::sys
