#include "model/archive_fault.hh"

#include <set>

#include <gtest/gtest.h>

namespace assay::model {
namespace {

TEST(ArchiveFault, IsSpelledAlikeBothWays) {
    std::set<std::string_view> seen;
    for (const ArchiveFault fault : all<ArchiveFault>()) {
        EXPECT_EQ(parse<ArchiveFault>(to_string(fault)), fault);
        EXPECT_TRUE(seen.insert(to_string(fault)).second) << to_string(fault);
    }
    EXPECT_EQ(to_string(ArchiveFault::names_meet), "names_meet");
    EXPECT_EQ(parse<ArchiveFault>("detail"), std::nullopt);
}

// Every refusal that an archive itself can cause has a fault, and no other has.
TEST(ArchiveFault, LeadsToARefusalOfAnArchive) {
    std::set<Refusal> reached;
    for (const ArchiveFault fault : all<ArchiveFault>()) reached.insert(refusal_of(fault));
    EXPECT_EQ(reached, (std::set<Refusal>{Refusal::empty, Refusal::not_an_archive, Refusal::format, Refusal::damaged, Refusal::unsafe,
                                          Refusal::too_many_entries, Refusal::unpacks_too_large, Refusal::required_missing}));
}

}  // namespace
}  // namespace assay::model
