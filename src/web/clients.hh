// Clients: the ready-made clients that the server offers, from a folder that staff fill. A file that is not there is not offered.
//
// Read at start and again when a file is another or has changed; kept in memory, so at most two times `client_bytes_max`.
// Threading: safe from every thread; may wait for the disk.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "sys/file.hh"

namespace assay::web {

constexpr std::size_t client_bytes_max = 64u << 20;  // of one file

enum class ClientFor { linux_x86_64, windows_x86_64 };
constexpr std::size_t client_kinds = 2;
// Of the file, in the folder and as it is fetched: "assay-linux-x86_64".
std::string_view file_name_of(ClientFor);
std::optional<ClientFor> client_named(std::string_view file_name);

struct Client {
    std::string sha256;  // 64 hex digits
    std::string content;
};

class Clients {
public:
    // `folder`: "" offers none.
    explicit Clients(std::string folder);

    // As it is now; nullptr: not offered. While another thread reads a file that has changed: as it was.
    std::shared_ptr<const Client> get(ClientFor);

private:
    struct Kept {
        std::mutex reading;                    // held by who looks whether the file has changed
        std::optional<sys::FileInfo> info;     // of what `client` was read from
        std::string refusal;                   // why the file that is there is not offered: said once
        std::mutex mutex;                      // of `client`, for a moment at a time
        std::shared_ptr<const Client> client;
    };
    void look(ClientFor, Kept&);
    Result<> look_at(ClientFor, Kept&);

    std::string folder_;
    std::array<Kept, client_kinds> kept_;
};

}  // namespace assay::web
