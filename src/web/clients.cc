#include "web/clients.hh"

#include <fmt/format.h>

#include "base/log.hh"
#include "sys/sha256.hh"

namespace assay::web {

namespace {

void set(std::mutex& mutex, std::shared_ptr<const Client>& client, std::shared_ptr<const Client> to) {
    const std::lock_guard lock{mutex};
    client.swap(to);
}

}  // namespace

std::string_view file_name_of(ClientFor system) {
    switch (system) {
        case ClientFor::linux_x86_64: return "assay-linux-x86_64";
        case ClientFor::windows_x86_64: return "assay-windows-x86_64.exe";
    }
    return {};
}

std::optional<ClientFor> client_named(std::string_view file_name) {
    for (const auto system : {ClientFor::linux_x86_64, ClientFor::windows_x86_64}) {
        if (file_name == file_name_of(system)) return system;
    }
    return std::nullopt;
}

Clients::Clients(std::string folder) : folder_{std::move(folder)} {
    for (const auto system : {ClientFor::linux_x86_64, ClientFor::windows_x86_64}) get(system);
}

std::shared_ptr<const Client> Clients::get(ClientFor system) {
    Kept& kept = kept_.at(static_cast<std::size_t>(system));
    if (const std::unique_lock looking{kept.reading, std::try_to_lock}; looking && !folder_.empty()) look(system, kept);
    const std::lock_guard lock{kept.mutex};
    return kept.client;
}

void Clients::look(ClientFor system, Kept& kept) {
    const Result<> looked = look_at(system, kept);
    if (looked) {
        kept.refusal.clear();
        return;
    }
    kept.info.reset();
    set(kept.mutex, kept.client, nullptr);
    const Error& error = looked.error();
    const std::string refusal = error.fault() == Fault::missing ? "" : error.text();
    if (!refusal.empty() && refusal != kept.refusal) {
        log::warn("clients.not_offered", {{"folder", folder_}, {"file", file_name_of(system)}, {"why", refusal}});
    }
    kept.refusal = refusal;
}

Result<> Clients::look_at(ClientFor system, Kept& kept) {
    ASSAY_TRY(const sys::Fd folder, sys::open_directory(folder_));
    ASSAY_TRY(const sys::Fd file, sys::open_beneath(folder, std::string{file_name_of(system)}));
    ASSAY_TRY(const sys::FileInfo info, sys::info_of(file));
    if (kept.info == info) return ok;
    if (info.kind != sys::FileInfo::Kind::regular) return Error{Fault::denied, "it is no regular file"};
    if (static_cast<std::size_t>(info.size) > client_bytes_max) {
        return Error{Fault::too_large, fmt::format("it has {} bytes; the limit is {}", info.size, client_bytes_max)};
    }
    if (info.size == 0) return Error{Fault::missing, "it is empty"};  // as a file is whose content is about to come
    ASSAY_TRY(std::string content, sys::read_all(file, client_bytes_max));
    ASSAY_TRY(const sys::FileInfo after, sys::info_of(file));
    if (after != info) return Error{Fault::busy, "it changed while it was read"};  // offered once it is at rest
    auto client = std::make_shared<Client>();
    client->sha256 = sys::sha256_hex(bytes_of(content));
    client->content = std::move(content);
    log::info("clients.offered", {{"file", file_name_of(system)}, {"bytes", client->content.size()}, {"sha256", client->sha256}});
    set(kept.mutex, kept.client, std::move(client));
    kept.info = info;
    return ok;
}

}  // namespace assay::web
