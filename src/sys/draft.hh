// Draft: a file that stands under its name whole, or not at all, whatever ends us meanwhile.
#pragma once

#include <string>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::sys {

class Draft {
public:
    // In the folder of `target`: without a name where the file system can, so that not even SIGKILL leaves anything; else with
    // one that nobody else has, removed with the object. An existing `target` stays until `publish`.
    static Result<Draft> make(const std::string& target, std::uint32_t mode);
    Draft(Draft&& other) noexcept;
    Draft& operator=(Draft&&) = delete;
    ~Draft();

    const Fd& file() const { return file_; }  // for reading and writing
    // Durable under its name afterwards. Once.
    Result<> publish();

private:
    Draft() = default;
    std::string target_, folder_;
    std::string name_;  // of the draft; empty: it has none
    Fd file_;
};

}  // namespace assay::sys
