#include <gtest/gtest.h>

#include <filesystem>

#include "image/image.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::image {
namespace {

// As a command in the image would find it: through the image's own links, absolute ones included, and never outside.
TEST(Library, AProgramIsLookedForWithinItsImage) {
    namespace fs = std::filesystem;
    const std::string directory = fs::temp_directory_path() / ("assay-has-program-" + sys::random_text(8, "abcdefgh"));
    const std::string digest(64, 'a');
    const std::string root = directory + "/" + digest + "/root";
    fs::create_directories(root + "/usr/bin");
    ASSERT_TRUE(sys::create_exclusive(root + "/usr/bin/tool"));
    fs::create_symlink("/usr/bin", root + "/bin");
    fs::create_symlink("/usr/bin/tool", root + "/usr/bin/linked");
    fs::create_symlink("../../../../../../../../bin/sh", root + "/usr/bin/outside");
    const Library library{directory};
    EXPECT_TRUE(library.has_program(digest, "tool", "/nowhere:/bin"));
    EXPECT_TRUE(library.has_program(digest, "/bin/linked", ""));
    EXPECT_FALSE(library.has_program(digest, "tool", "/nowhere:/"));
    EXPECT_FALSE(library.has_program(digest, "outside", "/usr/bin"));
    EXPECT_FALSE(library.has_program(digest, "/bin/sh", "/bin"));
    EXPECT_TRUE(library.has_program(std::string(64, 'b'), "tool", "/bin")) << "what cannot be looked into is not blamed";
    fs::remove_all(directory);
}

}  // namespace
}  // namespace assay::image
