// Draft on Windows: marked for deletion from its first moment, so that it goes with its handle however we end; published, the
// mark is taken back and the file renamed over the target in one step.
#include "sys/draft.hh"

#include <windows.h>

#include <cstddef>
#include <cstring>
#include <vector>

#include "sys/file.hh"
#include "sys/random.hh"
#include "sys/windows/native.hh"

namespace assay::sys {
namespace {

Result<> mark(const Fd& file, bool deleted, const std::string& subject) {
    FILE_DISPOSITION_INFO disposition{};
    disposition.DeleteFile = deleted;
    if (!::SetFileInformationByHandle(handle_of(file), FileDispositionInfo, &disposition, sizeof disposition))
        return last_windows_error("FileDispositionInfo", subject);
    return ok;
}

}  // namespace

Result<Draft> Draft::make(const std::string& target, std::uint32_t mode) {
    const std::string name = target.substr(target.find_last_of("/\\") + 1);
    if (const char* const why = why_forbidden(name)) return Error{Fault::invalid, "Windows takes no file of the name '" + name + "': " + why};
    Draft draft;
    draft.target_ = target;
    draft.name_ = target + "." + random_text(8, "abcdefghijklmnopqrstuvwxyz") + ".part";
    ASSAY_TRY(draft.file_, create_exclusive(draft.name_, mode));
    ASSAY_CHECK(mark(draft.file_, true, draft.name_));
    return draft;
}

Draft::Draft(Draft&& other) noexcept
    : target_{std::move(other.target_)}, folder_{std::move(other.folder_)}, name_{std::exchange(other.name_, {})}, file_{std::move(other.file_)} {}

Draft::~Draft() = default;

Result<> Draft::publish() {
    ASSAY_CHECK(sync_all(file_));
    ASSAY_CHECK(mark(file_, false, name_));
    file_.reset();
    auto renamed = rename_over(name_, target_);
    if (!renamed) (void)remove_file(name_);
    return renamed;
}

}  // namespace assay::sys
