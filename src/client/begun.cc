#include "client/begun.hh"

#include <algorithm>

#include "base/text.hh"
#include "sys/file.hh"
#include "sys/sha256.hh"

namespace assay::client {
namespace {

constexpr std::size_t address_bytes_max = 256;
constexpr std::string_view addresses = "/api/v1/uploads/";

}  // namespace

BegunUpload::BegunUpload(const Variables& variables, const std::string& server, const std::string& course,
                         const std::string& module, const std::string& sha256) {
    const std::string own = user_folder(variables);
    if (own.empty()) return;
    folder_ = own + "/uploads";
    file_ = folder_ + "/" + sys::sha256_hex(bytes_of(server + '\0' + course + '\0' + module + '\0' + sha256));
}

std::string BegunUpload::address() const {
    if (file_.empty()) return "";
    const auto text = sys::read_file(file_, address_bytes_max);
    const bool one = text && text->starts_with(addresses) &&
                     std::ranges::all_of(text->substr(addresses.size()),
                                         [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
    return one ? *text : "";
}

void BegunUpload::keep(const std::string& address) const {
    if (file_.empty()) return;
    if (address.empty()) {
        (void)sys::remove_file(file_);
        return;
    }
    const std::string own = folder_.substr(0, folder_.rfind('/'));
    const std::string above = own.substr(0, own.rfind('/'));
    for (const std::string& folder : {above, own, folder_}) {
        if (!folder.empty()) (void)sys::make_directory(folder);
    }
    (void)sys::write_file_durably(file_, address);
}

}  // namespace assay::client
