#include "sandbox/command.hh"

#include "base/text.hh"
#include "sys/file.hh"

namespace assay::sandbox {

std::string pack_command(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                         const std::string& directory) {
    const std::uint32_t counts[] = {static_cast<std::uint32_t>(arguments.size()),
                                    static_cast<std::uint32_t>(environment.size())};
    std::string bytes{reinterpret_cast<const char*>(counts), sizeof counts};
    for (const auto* words : {&arguments, &environment}) {
        for (const std::string& word : *words) bytes.append(word).push_back('\0');
    }
    bytes.append(directory).push_back('\0');
    return bytes;
}

Result<sys::Fd> place_command(const std::string& bytes, CommandBlock& place) {
    if (bytes.size() > sizeof place.bytes) return sys::memory_file("command", bytes_of(bytes), true);
    place.size = static_cast<std::uint32_t>(bytes.copy(place.bytes, sizeof place.bytes));
    return sys::Fd{};
}

}  // namespace assay::sandbox
