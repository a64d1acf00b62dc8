// Rooms: the durable part of the server, opened under the directory's lock: by `serve`, and by staff commands when no server
// runs.
#pragma once

#include <memory>
#include <string>

#include "course/course.hh"
#include "image/image.hh"
#include "serve/data_directory.hh"
#include "store/blobs.hh"
#include "store/keys.hh"
#include "store/space.hh"
#include "store/store.hh"

namespace assay::serve {

struct Rooms {
    std::unique_ptr<store::Space> space;  // of the others
    std::unique_ptr<store::Store> store;
    store::Blobs blobs;
    store::Blobs revisions;
    store::Keys keys;
    image::Library images;
};

// After DataDirectory::enter(). `disk_reserve_bytes`: see Config.
Result<std::unique_ptr<Rooms>> open_rooms(const DataDirectory& directory, std::int64_t disk_reserve_bytes);

course::Machine this_machine();

}  // namespace assay::serve
