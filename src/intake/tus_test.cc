#include "intake/tus.hh"

#include <gtest/gtest.h>

namespace assay::intake::tus {
namespace {

http::Request with(std::vector<http::Header> headers) {
    http::Request request;
    request.method = "POST";
    request.headers = std::move(headers);
    return request;
}

TEST(Tus, ReadsACreation) {
    auto request = with({{"Upload-Length", "10"}, {"Upload-Metadata", "course SUNT, module UEEx ,filename,sha256 YWI="}});
    const auto found = creation_of(request);
    ASSERT_TRUE(found) << found.error().text;
    EXPECT_EQ(found->length, 10);
    EXPECT_EQ(found->course, "ICS");
    EXPECT_EQ(found->module, "PA1");
    EXPECT_EQ(found->sha256, "ab");
    EXPECT_FALSE(found->with_upload);

    request = with({{"Upload-Length", "10"}, {"Content-Type", "application/offset+octet-stream; x=y"}});
    request.query = "course=ICS&module=P%41";
    const auto by_query = creation_of(request);
    ASSERT_TRUE(by_query);
    EXPECT_EQ(by_query->course, "ICS");
    EXPECT_EQ(by_query->module, "PA");
    EXPECT_TRUE(by_query->with_upload);
}

TEST(Tus, RefusesACreationThatCannotBeRead) {
    for (const char* const length : {"", "-1", "1x", "99999999999999999999", "1 2"}) EXPECT_FALSE(creation_of(with({{"Upload-Length", length}}))) << length;
    EXPECT_FALSE(creation_of(with({{"Upload-Defer-Length", "1"}})));
    for (const std::string& metadata : {std::string{"course ?"}, std::string{"course SUN"}, std::string(metadata_bytes_max + 1, 'a')}) {
        EXPECT_FALSE(creation_of(with({{"Upload-Length", "1"}, {"Upload-Metadata", metadata}}))) << metadata.substr(0, 20);
    }
}

TEST(Tus, ReadsAPart) {
    const http::Header type{"Content-Type", std::string{part_type}};
    const auto part = part_of(with({type, {"Upload-Offset", "7"}, {"Upload-Checksum", "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk="}}), false);
    ASSERT_TRUE(part) << part.error().text;
    EXPECT_EQ(part->offset, 7);
    ASSERT_TRUE(part->checksum);
    EXPECT_EQ(part->checksum->digest.size(), 20u);
    EXPECT_FALSE(part_of(with({type, {"Upload-Offset", "7"}}), false)->checksum);
    EXPECT_EQ(part_of(with({{"Upload-Offset", "7"}}), true)->offset, 0) << "of a creation";

    EXPECT_EQ(part_of(with({{"Upload-Offset", "7"}}), false).error().status, 415);
    EXPECT_EQ(part_of(with({type}), false).error().status, 400);
    for (const char* const checksum : {"md5 YWI=", "sha1", "sha1 YWI=", "sha1 ?", "sha256 2jmj7l5rSw0yVb/vlWAYkK/YBwk="}) {
        EXPECT_EQ(part_of(with({type, {"Upload-Offset", "7"}, {"Upload-Checksum", checksum}}), false).error().status, 400) << checksum;
    }
}

TEST(Tus, SpeaksOneVersionAndHearsAnOverriddenMethod) {
    EXPECT_FALSE(version_wrong(with({})));
    EXPECT_FALSE(version_wrong(with({{"Tus-Resumable", "1.0.0"}})));
    EXPECT_EQ(version_wrong(with({{"Tus-Resumable", "0.2.2"}}))->status, 412);
    EXPECT_EQ(method_of(with({{"X-HTTP-Method-Override", "PATCH"}})), "PATCH");
    EXPECT_EQ(method_of(with({})), "POST");
}

TEST(Tus, SaysWhereAnUploadStands) {
    const store::Partial partial{.id = "ab", .length = 10, .touched_ms = 1'790'000'000'000 - store::Partials::kept_ms, .offset = 4,
                                 .submission = SubmissionId{"AAAAAAAAAAAAAAAA"}};
    const http::Response response = marked({.status = 204, .headers = {}, .body = {}}, partial);
    const auto value = [&](std::string_view name) {
        for (const auto& [one, text] : response.headers) {
            if (one == name) return text;
        }
        return std::string{};
    };
    EXPECT_EQ(value("Upload-Offset"), "4");
    EXPECT_EQ(value("Upload-Length"), "10");
    EXPECT_EQ(value("Upload-Expires"), "Mon, 21 Sep 2026 14:13:20 GMT");
    EXPECT_EQ(value("Assay-Submission"), "AAAAAAAAAAAAAAAA");
}

}  // namespace
}  // namespace assay::intake::tus
