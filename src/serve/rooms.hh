// Rooms: the durable part of the server, opened under the directory's lock: by `serve`, and by staff commands when no server
// runs.
#pragma once

#include <memory>
#include <string>

#include "course/course.hh"
#include "serve/data_directory.hh"
#include "store/blobs.hh"
#include "store/keys.hh"
#include "store/store.hh"

namespace assay::serve {

struct Rooms {
    std::unique_ptr<store::Store> store;
    store::Blobs blobs;
    store::Blobs revisions;
    store::Keys keys;
};

// After DataDirectory::enter(). `on_failure`: see store::StoreConfig.
Result<std::unique_ptr<Rooms>> open_rooms(const DataDirectory& directory, std::function<void(const Error&)> on_failure);

course::Machine this_machine();

}  // namespace assay::serve
