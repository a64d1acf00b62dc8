#include "sys/draft.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "sys/error.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::sys {
namespace {

std::string other_name(const std::string& target) {
    return target + "." + random_text(8, "abcdefghijklmnopqrstuvwxyz") + ".part";
}

}  // namespace

Result<Draft> Draft::make(const std::string& target, std::uint32_t mode) {
    Draft draft;
    draft.target_ = target;
    const std::size_t slash = target.rfind('/');
    draft.folder_ = slash == std::string::npos ? "." : slash == 0 ? "/" : target.substr(0, slash);
    // Only /proc gives a file without a name one later; a root without it has no use for such a file.
    const bool nameable = ::access("/proc/self/fd", X_OK) == 0;
    const int raw = nameable ? ::open(draft.folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, mode) : -1;
    if (raw >= 0) {
        draft.file_ = Fd{raw};
        return draft;
    }
    const std::string name = other_name(target);
    ASSAY_TRY(draft.file_, create_exclusive(name, mode));
    draft.name_ = name;
    return draft;
}

Draft::Draft(Draft&& other) noexcept
    : target_{std::move(other.target_)},
      folder_{std::move(other.folder_)},
      name_{std::exchange(other.name_, {})},
      file_{std::move(other.file_)} {}

Draft::~Draft() {
    if (!name_.empty()) (void)remove_file(name_);
}

Result<> Draft::publish() {
    ASSAY_CHECK(sync_all(file_));
    if (name_.empty()) {
        const std::string name = other_name(target_);
        // A name cannot be given over another one, so it is given beside it.
        if (::linkat(AT_FDCWD, ("/proc/self/fd/" + std::to_string(file_.get())).c_str(), AT_FDCWD, name.c_str(),
                     AT_SYMLINK_FOLLOW) != 0) {
            return last_error("linkat", name);
        }
        name_ = name;
    }
    ASSAY_CHECK(rename_over(name_, target_));
    name_.clear();
    return sync_directory(folder_);
}

}  // namespace assay::sys
