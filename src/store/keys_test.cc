#include "store/keys.hh"

#include <gtest/gtest.h>

#include <filesystem>

#include "proof/proof.hh"
#include "sys/file.hh"
#include "sys/random.hh"
#include "sys/sha256.hh"

namespace assay::store {
namespace {

using proof::check_receipt;

class KeysTest : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(sys::make_directory(directory_)); }
    void TearDown() override { ASSERT_TRUE(sys::remove_tree(directory_)); }

    std::string directory_ = std::filesystem::temp_directory_path() / ("assay-keys-" + sys::random_text(8, "abcdefgh"));
};

model::Receipt receipt() {
    model::Receipt r;
    r.id = SubmissionId{"AbCdEfGh01234567"};
    r.course = CourseId{"ICS2024"};
    r.module = ModuleId{"PA1"};
    r.participant = ParticipantId{"张三"};
    r.sha256 = std::string(64, 'a');
    r.size = 12;
    r.received_first_byte = "2026-10-15T23:59:58.000+08:00";
    r.received_last_byte = "2026-10-15T23:59:59.000+08:00";
    r.server = "http://127.0.0.1:8080";
    return r;
}

TEST_F(KeysTest, AReceiptIsCheckedByThePublicKeyAloneAndAnyChangeIsFound) {
    const auto keys = Keys::open(directory_, 1);
    ASSERT_TRUE(keys) << keys.error().text();
    const std::string document = keys->sign(receipt());
    const std::string key = keys->signing_key(model::KeyUse::receipt).public_key;

    const auto checked = check_receipt(document, key);
    ASSERT_TRUE(checked);
    EXPECT_EQ(checked->participant.text(), "张三");
    EXPECT_EQ(checked->key_id, sys::sha256_hex(bytes_of(key)).substr(0, 16));

    for (std::size_t i = 0; i < document.size(); ++i) {
        std::string changed = document;
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        EXPECT_FALSE(check_receipt(changed, key)) << "byte " << i;
    }
    std::string longer = document;
    longer.insert(1, "\"grade\":\"A\",");
    EXPECT_FALSE(check_receipt(longer, key));
    EXPECT_FALSE(check_receipt(document, std::string(32, 'k')));
}

TEST_F(KeysTest, KeysLastOverARestartAndLieUnreadableForOthers) {
    const auto first = Keys::open(directory_, 5);
    ASSERT_TRUE(first);
    const std::string sealed = first->seal("ABCD-EFGH");
    const auto again = Keys::open(directory_, 99);
    ASSERT_TRUE(again);
    for (const model::KeyUse use : model::all<model::KeyUse>()) EXPECT_EQ(again->signing_key(use), first->signing_key(use));
    EXPECT_EQ(again->signing_key(model::KeyUse::receipt).from_ms, 5);
    EXPECT_EQ(again->hash("token", "ABCD-EFGH"), first->hash("token", "ABCD-EFGH"));
    EXPECT_EQ(again->unseal(sealed).value(), "ABCD-EFGH");
    for (const char* name : {"/receipt.key", "/commitment.key", "/secret.key"}) EXPECT_EQ(sys::info_of_path(directory_ + name)->mode, 0600u);
}

TEST_F(KeysTest, HashesAndSealsGiveNothingAway) {
    const auto keys = Keys::open(directory_, 1);
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->hash("token", "a").size(), 32u);
    EXPECT_NE(keys->hash("token", "a"), keys->hash("key", "a"));
    EXPECT_NE(keys->seal("a"), keys->seal("a"));
    std::string sealed = keys->seal("secret");
    sealed.back() = static_cast<char>(sealed.back() ^ 1);
    EXPECT_EQ(keys->unseal(sealed).error().fault(), Fault::invalid);
    EXPECT_EQ(keys->unseal("short").error().fault(), Fault::invalid);
}

// A key file that cannot be read is never replaced: every receipt and token would be worthless at once.
TEST_F(KeysTest, ADamagedKeyFileIsAnErrorAndStays) {
    ASSERT_TRUE(sys::write_file_durably(directory_ + "/secret.key", "assay-secret-key/1 00ff 1\n"));
    EXPECT_EQ(Keys::open(directory_, 1).error().fault(), Fault::invalid);
    EXPECT_EQ(sys::read_file(directory_ + "/secret.key", 100).value(), "assay-secret-key/1 00ff 1\n");
}

}  // namespace
}  // namespace assay::store
