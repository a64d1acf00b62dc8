#include "course/tar.hh"

namespace assay::course {

Result<Compiled> compile_tar(ByteView tar, const std::string& default_timezone) {
    ASSAY_TRY(auto files, archive::read_tar(tar, folder_bytes_max));
    return compile(std::move(files), default_timezone);
}

}  // namespace assay::course
