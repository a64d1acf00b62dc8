// Keys that take each other's place, against a real store and real files.
#include "store/rotation.hh"

#include <gtest/gtest.h>

#include <filesystem>

#include "proof/proof.hh"
#include "sys/file.hh"
#include "sys/random.hh"
#include "testing/manual_clock.hh"

namespace assay::store {
namespace {

using proof::check_commitment;
using proof::check_receipt;

constexpr auto receipt = model::KeyUse::receipt;
constexpr auto commitment = model::KeyUse::commitment;

class Rotation : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(sys::make_directory(directory_)); }
    void TearDown() override { ASSERT_TRUE(sys::remove_tree(directory_)); }
    // As a start does.
    void start(std::int64_t now_ms) {
        keys.emplace(Keys::open(directory_, now_ms).value());
        store = open_sqlite({.path = directory_ + "/assay.db"}).value();
        ASSERT_TRUE(publish_keys(*store, *keys, now_ms));
    }
    std::vector<SigningKey> published(model::KeyUse use) {
        std::vector<SigningKey> found;
        EXPECT_TRUE(store->read([&](Reading& reading) -> Result<> {
            ASSAY_TRY(found, reading.signing_keys(use));
            return ok;
        }));
        return found;
    }
    // Exactly the one that signs has no end.
    void expect_settled() {
        for (const auto use : {receipt, commitment}) {
            for (const SigningKey& key : published(use))
                EXPECT_EQ(!key.until_ms, key.key_id == keys->signing_key(use).key_id) << key.key_id;
        }
    }

    std::string directory_ =
        std::filesystem::temp_directory_path() / ("assay-rotation-" + sys::random_text(8, "abcdefgh"));
    std::optional<Keys> keys;
    std::unique_ptr<Store> store;
    testing::ManualClock clock;
};

TEST_F(Rotation, WhatTheOldKeySignedStaysValidAndTheNewOneSigns) {
    start(1);
    const std::string before = keys->sign(model::Receipt{});
    const SigningKey old = keys->signing_key(receipt);
    const auto fresh = rotate_key(*store, *keys, receipt, clock);
    ASSERT_TRUE(fresh) << fresh.error().text();
    EXPECT_NE(fresh->key_id, old.key_id);
    EXPECT_EQ(keys->signing_key(receipt), *fresh);
    const auto all = published(receipt);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_TRUE(check_receipt(before, old.public_key));
    EXPECT_FALSE(check_receipt(keys->sign(model::Receipt{}), old.public_key));
    EXPECT_TRUE(check_receipt(keys->sign(model::Receipt{}), fresh->public_key));
    EXPECT_EQ(published(commitment).size(), 1u);
    expect_settled();
    start(2);
    EXPECT_EQ(keys->signing_key(receipt).key_id, fresh->key_id);
    EXPECT_EQ(published(receipt), all);
}

TEST_F(Rotation, NothingChangesWhenTheFreshKeyCannotBePublished) {
    start(1);
    const SigningKey old = keys->signing_key(receipt);
    const auto failed =
        keys->replace(receipt, 2, [](const SigningKey&) -> Result<> { return Error{Fault::disk_full, "full"}; });
    EXPECT_EQ(failed.error().fault(), Fault::disk_full);
    EXPECT_EQ(keys->signing_key(receipt), old);
    start(3);
    EXPECT_EQ(keys->signing_key(receipt).key_id, old.key_id);
}

// Killed after the fresh key was published and before its file was in place: it has signed nothing, and the old one goes on.
TEST_F(Rotation, AKillBeforeTheFileLeavesTheOldKeySigning) {
    start(1);
    const SigningKey old = keys->signing_key(receipt);
    ASSERT_TRUE(store->write_and_wait(
        [](Tx& tx) { return tx.put_signing_key({receipt, "feedfeedfeedfeed", std::string(32, 'k'), 2, {}}); }));
    start(3);
    EXPECT_EQ(keys->signing_key(receipt).key_id, old.key_id);
    EXPECT_EQ(published(receipt).size(), 2u);
    expect_settled();
}

// Killed after its file was in place: the fresh one signs, and only now is the old one's end noted.
TEST_F(Rotation, AKillAfterTheFileLeavesTheFreshKeySigning) {
    start(1);
    const SigningKey old = keys->signing_key(receipt);
    const auto publish = [&](const SigningKey& key) {
        return store->write_and_wait([&](Tx& tx) { return tx.put_signing_key(key); });
    };
    const auto fresh = keys->replace(receipt, 2, publish);
    ASSERT_TRUE(fresh);
    EXPECT_FALSE(published(receipt).at(0).until_ms);
    start(3);
    EXPECT_EQ(keys->signing_key(receipt).key_id, fresh->key_id);
    EXPECT_EQ(published(receipt).at(0).key_id, old.key_id);
    EXPECT_EQ(published(receipt).at(0).until_ms, 3);
    expect_settled();
}

// A key file put back from a backup signs again; its end is taken away.
TEST_F(Rotation, AnOldKeyThatComesBackHasNoEnd) {
    start(1);
    const std::string file = sys::read_file(directory_ + "/receipt.key", 1000).value();
    const SigningKey old = keys->signing_key(receipt);
    ASSERT_TRUE(rotate_key(*store, *keys, receipt, clock));
    ASSERT_TRUE(sys::write_file_durably(directory_ + "/receipt.key", file));
    start(5);
    EXPECT_EQ(keys->signing_key(receipt).key_id, old.key_id);
    expect_settled();
}

TEST_F(Rotation, AReceiptIsNoCommitmentAndNeitherKeySignsTheOther) {
    start(1);
    const std::string signed_commitment = keys->sign(model::Commitment{});
    const std::string key = keys->signing_key(commitment).public_key;
    EXPECT_TRUE(check_commitment(signed_commitment, key));
    EXPECT_FALSE(check_receipt(signed_commitment, key));
    EXPECT_FALSE(check_commitment(signed_commitment, keys->signing_key(receipt).public_key));
    EXPECT_NE(keys->signing_key(commitment).key_id, keys->signing_key(receipt).key_id);
    for (std::size_t i = 0; i < signed_commitment.size(); ++i) {
        std::string changed = signed_commitment;
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        EXPECT_FALSE(check_commitment(changed, key)) << "byte " << i;
    }
}

}  // namespace
}  // namespace assay::store
