// Tus: the resumable upload protocol, version 1.0.0 (https://tus.io/protocols/resumable-upload), as values: what a request's head
// asks for, and the headers of answers. Core, creation, creation-with-upload, expiration, checksum, termination. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hh"
#include "store/partials.hh"

namespace assay::intake::tus {

constexpr std::string_view version = "1.0.0";
constexpr std::string_view extensions = "creation,creation-with-upload,expiration,checksum,termination";
constexpr std::string_view algorithms = "sha1,sha256";
constexpr std::string_view part_type = "application/offset+octet-stream";
constexpr std::string_view upload_path = "/api/v1/uploads/";
constexpr std::size_t metadata_bytes_max = 8u << 10;
constexpr int checksum_differs = 460;

// What is wrong with a request, in the protocol's own statuses.
struct Wrong {
    int status = 400;
    std::string text;
};

// PATCH, HEAD or DELETE behind a POST, for clients that can do no other (X-HTTP-Method-Override).
std::string method_of(const http::Request&);
// 412 when it speaks another version; none said is taken for ours.
std::optional<Wrong> version_wrong(const http::Request&);

struct Creation {
    std::int64_t length = 0;
    std::string course;                    // of Upload-Metadata, else of the query; may be empty
    std::string module;
    std::string sha256;                    // declared, as sent; empty: not
    bool with_upload = false;              // the first part comes with it
};
std::expected<Creation, Wrong> creation_of(const http::Request&);

enum class Algorithm { sha1, sha256 };
struct Checksum {
    Algorithm algorithm = Algorithm::sha1;
    std::string digest;                    // raw bytes
};
struct Part {
    std::int64_t offset = 0;
    std::optional<Checksum> checksum;
};
// Of a PATCH; `created`: of the first part that comes with a creation, at offset 0.
std::expected<Part, Wrong> part_of(const http::Request&, bool created);

// Tus-Resumable, and of one upload where it stands and until when it is kept.
http::Response marked(http::Response);
http::Response marked(http::Response, const store::Partial&);

}  // namespace assay::intake::tus
