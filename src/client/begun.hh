// BegunUpload: where an upload in parts is remembered until it is over, so that another process, after a kill or another day, goes on
// with it. A file of the user's own (FOLDER/uploads/…, mode 0600) with its address on one server.
#pragma once

#include <string>

#include "client/settings.hh"

namespace assay::client {

class BegunUpload {
public:
    // Of these bytes for this module of that server. Without a folder of the user's nothing is remembered.
    BegunUpload(const Variables&, const std::string& server, const std::string& course, const std::string& module,
                const std::string& sha256);
    std::string address() const;  // empty: none, or not readable as one
    void keep(
        const std::string& address) const;  // empty: it is over. What cannot be kept only costs the parts once more.

private:
    std::string folder_;
    std::string file_;
};

}  // namespace assay::client
