// How images lie in the data directory: what is under way, what counts, and what a name means. Internal to image.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hh"
#include "image/image.hh"
#include "sys/process.hh"

namespace assay::image {

// A folder beside the images that counts for nothing. It has a lock, so that whoever finds it knows whether somebody still works
// on it. Its destructor removes it.
class Unfinished {
public:
    // Removes those of makers that are gone, then makes one. `owner`: who shall own it; only root can give it to somebody else.
    // Errors: busy.
    static Result<Unfinished> begin(const std::string& directory, std::uint32_t owner);
    Unfinished(Unfinished&&) noexcept = default;
    Unfinished& operator=(Unfinished&&) = delete;
    ~Unfinished();

    std::string path() const { return path_; }
    std::string root() const { return path_ + "/root"; }

    // Makes it the image of its digest, and the name mean it. What is there already stays, whoever made it. Everything in it has
    // been synced. True: it was not there. Errors: busy (another one is being kept or removed).
    Result<bool> keep(const Named&) &&;

private:
    Unfinished(std::string directory, std::string path, sys::ProcessLock lock)
        : directory_{std::move(directory)}, path_{std::move(path)}, lock_{std::move(lock)} {}
    std::string directory_;
    std::string path_;
    sys::ProcessLock lock_;
};

}  // namespace assay::image
