#include "intake/body.hh"

#include <gtest/gtest.h>

#include "testing/fake_disk.hh"

namespace assay::intake {
namespace {

using wording::FormFault;

struct Taken {
    testing::FakeDisk disk{{"/d", "/d/blobs", "/d/tmp"}};
    store::Blobs blobs{disk, "/d/blobs", "/d/tmp"};
    Spools spools{blobs};
    Form form{spools, 1024, 1 << 20};
};

http::Request request(std::string query, std::vector<http::Header> headers) {
    http::Request made;
    made.query = std::move(query);
    made.headers = std::move(headers);
    return made;
}

TEST(Body, AnArchiveAloneTakesItsFieldsFromTheHead) {
    Taken taken;
    const auto asked = request("module=PA1&course=%E8%AF%BE&size=5", {{"Authorization", "Bearer T-1"}, {"Content-Type", "application/gzip"}});
    Body body = Body::of(asked, true).value();
    EXPECT_TRUE(body.raw());
    ASSERT_TRUE(body.begin(asked, taken.form));
    ASSERT_TRUE(body.feed(bytes_of("bytes"), taken.form));
    EXPECT_TRUE(body.end(taken.form).value());
    EXPECT_EQ(taken.form.fields().token, "T-1");
    EXPECT_EQ(taken.form.fields().course, "课");
    EXPECT_EQ(taken.form.fields().module, "PA1");
    EXPECT_EQ(taken.form.file_bytes(), 5);
    EXPECT_TRUE(taken.form.file_complete());
    EXPECT_EQ(declared_of(asked, taken.form.fields(), true)->size, 5);
}

TEST(Body, ThePlainUploadTakesNoBareArchive) {
    EXPECT_FALSE(Body::of(request("", {{"Content-Type", "application/gzip"}}), false));
    EXPECT_FALSE(Body::of(request("", {}), false));
}

TEST(Body, WhatIsSaidTwiceIsRefused) {
    const struct {
        std::string query, token, field;
    } cases[] = {{"course=a&course=b", "t", "course"}, {"course=a&module=m&%6dodule=m", "t", "module"}};
    for (const auto& c : cases) {
        Taken taken;
        const auto asked = request(c.query, {{"Authorization", "Bearer " + c.token}});
        Body body = Body::of(asked, true).value();
        EXPECT_FALSE(body.begin(asked, taken.form));
        ASSERT_TRUE(taken.form.problem());
        EXPECT_EQ(taken.form.problem()->argument, c.field);
    }
    // A token in the header and another in the form.
    Taken taken;
    const auto asked = request("", {{"Authorization", "Bearer T-1"}, {"Content-Type", "multipart/form-data; boundary=b"}});
    Body body = Body::of(asked, true).value();
    ASSERT_TRUE(body.begin(asked, taken.form));
    EXPECT_FALSE(body.feed(bytes_of("--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nT-2\r\n--b--\r\n"), taken.form));
    EXPECT_EQ(taken.form.problem()->fault, FormFault::field_twice);
}

// A slow sender's module "PA1" must not be looked up as "PA".
TEST(Form, AFieldIsNotCompleteBeforeItsLastByte) {
    Taken taken;
    const auto asked = request("", {{"Content-Type", "multipart/form-data; boundary=b"}});
    Body body = Body::of(asked, false).value();
    ASSERT_TRUE(body.begin(asked, taken.form));
    const std::string part = "--b\r\nContent-Disposition: form-data; name=\"";
    ASSERT_TRUE(body.feed(bytes_of(part + "token\"\r\n\r\nT\r\n" + part + "course\"\r\n\r\nC\r\n" + part + "module\"\r\n\r\nPA"), taken.form));
    EXPECT_FALSE(taken.form.claim_complete());
    ASSERT_TRUE(body.feed(bytes_of("1\r\n" + part + "file"), taken.form));
    EXPECT_TRUE(taken.form.claim_complete());
    EXPECT_EQ(taken.form.fields().module, "PA1");
}

TEST(Declared, IsReadStrictly) {
    const std::string hex(64, 'A');
    Fields fields;
    fields.sha256 = hex;
    fields.size = " 12 ";
    EXPECT_EQ(declared_of({}, fields, false)->sha256, std::string(64, 'a'));
    EXPECT_EQ(declared_of({}, fields, false)->size, 12);
    for (const char* const wrong : {"", "abc", "g", "0x"}) {
        fields.sha256 = wrong;
        EXPECT_EQ(declared_of({}, fields, false).error().fault, FormFault::sha256_unreadable) << wrong;
    }
    fields.sha256 = hex;
    for (const char* const wrong : {"", "-1", "1k", "99999999999999999999"}) {
        fields.size = wrong;
        EXPECT_EQ(declared_of({}, fields, false).error().fault, FormFault::size_unreadable) << wrong;
    }
}

TEST(Declared, ReadsReprDigestOfABareArchive) {
    const std::string empty = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    const auto of = [](const std::string& field, bool raw) { return declared_of(request("", {{"Repr-Digest", field}}), {}, raw); };
    EXPECT_EQ(of(empty, true)->sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(of("sha-512=:x:, " + empty, true)->sha256->size(), 64u);
    EXPECT_EQ(of("sha-512=:AAAA:", true)->sha256, std::nullopt);
    EXPECT_EQ(of("sha-256=:AAAA:", true).error().fault, FormFault::sha256_unreadable);
    EXPECT_EQ(of("sha-256=:47DEQpj8", true).error().fault, FormFault::sha256_unreadable);
    EXPECT_EQ(of(empty, false)->sha256, std::nullopt);  // Of a form it is about the form.
}

TEST(UploadKey, IsVisibleAscii) {
    const auto of = [](const std::string& key) { return upload_key_of(request("", {{"Idempotency-Key", key}})); };
    EXPECT_EQ(upload_key_of({}).value(), "");
    EXPECT_EQ(of("\"abc\"~!").value(), "\"abc\"~!");
    EXPECT_EQ(of(std::string(255, 'k'))->size(), 255u);
    for (const std::string& wrong : {std::string{}, std::string(256, 'k'), std::string{"a b"}, std::string{"键"}, std::string{"a\x7f"}}) {
        EXPECT_EQ(of(wrong).error().fault, FormFault::key_unreadable) << wrong;
    }
    EXPECT_FALSE(upload_key_of(request("", {{"Idempotency-Key", "a"}, {"idempotency-key", "a"}})));
}

}  // namespace
}  // namespace assay::intake
