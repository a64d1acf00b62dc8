#include "sys/service_manager.hh"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sys/socket.hh"

namespace assay::sys {
namespace {

class Managed : public testing::Test {
protected:
    void SetUp() override {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name_ = "@assay-test-" + std::to_string(::getpid());
        std::memcpy(address.sun_path, name_.data(), name_.size());
        address.sun_path[0] = '\0';
        manager_ = Fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
        ASSERT_EQ(::bind(manager_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    }
    void TearDown() override {
        for (const char* const name : names) ::unsetenv(name);
    }
    static constexpr const char* names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"};
    std::string name_;
    Fd manager_;
};

TEST_F(Managed, IsToldWithDescriptors) {
    ::setenv("NOTIFY_SOCKET", name_.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "4000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    const ServiceManager manager = ServiceManager::from_environment();
    EXPECT_TRUE(manager.present());
    EXPECT_EQ(manager.watchdog(), std::chrono::seconds{4});
    for (const char* const name : names) EXPECT_EQ(std::getenv(name), nullptr) << name << " is left for children";
    const auto pair = socket_pair(PairKind::stream);
    const std::array descriptors{pair->first.get()};
    ASSERT_TRUE(manager.tell("FDSTORE=1\nFDNAME=x", descriptors));
    std::array<std::byte, 64> buffer{};
    const auto got = receive_message(manager_, buffer);
    ASSERT_TRUE(got);
    EXPECT_EQ(text_of(std::span{buffer}.first(got->size)), "FDSTORE=1\nFDNAME=x");
    EXPECT_EQ(got->descriptors.size(), 1u);
}

TEST_F(Managed, WhatIsMeantForAnotherProcessIsNotTaken) {
    ::setenv("NOTIFY_SOCKET", name_.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "4000000", 1);
    ::setenv("WATCHDOG_PID", "1", 1);
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_PID", "1", 1);
    ServiceManager manager = ServiceManager::from_environment();
    EXPECT_TRUE(manager.present());
    EXPECT_FALSE(manager.watchdog());
    EXPECT_TRUE(manager.take_descriptors().empty());
}

TEST_F(Managed, WithoutOneNothingIsToldAndNothingFails) {
    for (const char* const path : {"", "relative", "/there/is/none"}) {
        ::setenv("NOTIFY_SOCKET", path, 1);
        ::setenv("WATCHDOG_USEC", "1", 1);
        const ServiceManager manager = ServiceManager::from_environment();
        EXPECT_FALSE(manager.present());
        EXPECT_FALSE(manager.watchdog());
        EXPECT_TRUE(manager.tell("READY=1"));
    }
}

}  // namespace
}  // namespace assay::sys
