// Act: what every staff command does: ask the server that holds the data directory, or do the same under its lock.
#pragma once

#include <functional>
#include <string>

#include "cli/commands.hh"
#include "serve/data_directory.hh"
#include "serve/rooms.hh"

namespace assay::cli {

// What a running server is asked, and what is done where there is none.
struct Call {
    std::string method;
    std::string target;
    std::string content_type;
    std::string body;
};
using Direct = std::function<Result<std::string>(serve::Rooms&)>;
// What has nothing to act on where there is no data yet must not begin any.
Result<std::string> act(const std::string& data, const Call& call, const Direct& direct, serve::Opening = serve::Opening::existing);

// An answer to stdout, with a newline at its end; an error as fail() does.
ExitCode print(Result<std::string> answer);

// A name as a segment of an address. A course, module or submission without a name cannot be; asking for it would only ask for another
// address.
std::string segment(const std::string& text);

}  // namespace assay::cli
