#include "client/silence.hh"

#include <gtest/gtest.h>

#include "client/server.hh"
#include "sys/file.hh"

namespace assay::client {
namespace {

using namespace std::chrono_literals;
using Of = Silence::Of;

// What is seen each second, and what is told of it; a silence is told after 5 s.
struct Second {
    std::optional<sys::Unconfirmed> unconfirmed;
    std::optional<Of> told;
    bool heard = false;  // just before
};
void goes(const std::vector<Second>& seconds) {
    const sys::TimePoint start{};
    SilenceRule rule{5s, start};
    for (std::size_t i = 0; i < seconds.size(); ++i) {
        const sys::TimePoint now = start + static_cast<int>(i + 1) * 1s;
        if (seconds[i].heard) rule.heard(now);
        EXPECT_EQ(rule.look(now, seconds[i].unconfirmed), seconds[i].told) << "second " << i + 1;
    }
}

TEST(SilenceRule, TellsOnceWhatIsSilent) {
    const std::optional<sys::Unconfirmed> none, arrived{{0, 0}}, lost{{9000, 9000}}, no_room{{9000, 0}};
    goes({{none, {}}, {none, {}}, {none, {}}, {none, {}}, {none, Of::connecting}, {none, {}}, {none, {}}});
    // Connected in the first second.
    goes({{arrived, {}}, {arrived, {}}, {arrived, {}}, {arrived, {}}, {arrived, {}}, {arrived, Of::server}, {arrived, {}}});
    goes({{lost, {}}, {lost, {}}, {lost, {}}, {lost, {}}, {lost, {}}, {lost, Of::network}, {lost, {}}});
    goes({{no_room, {}}, {no_room, {}}, {no_room, {}}, {no_room, {}}, {no_room, {}}, {no_room, Of::server}});
}

TEST(SilenceRule, AnySignOfLifeEndsASilence) {
    const std::optional<sys::Unconfirmed> lost{{9000, 9000}};
    goes({{lost, {}}, {lost, {}}, {lost, {}}, {lost, {}}, {lost, {}, true}, {lost, {}}, {lost, {}}, {lost, {}}, {lost, {}}, {lost, Of::network}});
    // A silence that ended may be followed by another one.
    goes({{lost, {}}, {lost, {}}, {lost, {}}, {lost, {}}, {lost, {}}, {lost, Of::network},
          {lost, {}, true}, {lost, {}}, {lost, {}}, {lost, {}}, {lost, {}}, {lost, Of::network}});
    // A slow way: nothing comes back but that something has arrived.
    std::vector<Second> slow;
    for (std::int64_t left = 100; left > 0; --left) slow.push_back({sys::Unconfirmed{left * 1000, 1000}, {}});
    goes(slow);
}

// Somebody who is there, and never says a word: the kernel takes the connection and what is sent over it.
class Mute {
public:
    Mute() : socket_{sys::listen_tcp("127.0.0.1", 0).value()} {}
    Url url() const { return {.tls = false, .host = "127.0.0.1", .port = sys::bound_port(socket_).value(), .path = {}}; }

private:
    sys::Fd socket_;
};

TEST(Silence, OfARealServerIsToldAndEndsInASentence) {
    const Mute mute;
    std::vector<Silence> told;  // From the watch's thread; read when that has ended.
    const Server server{mute.url(), "token", wording::Language::chinese, "",
                        {.max = 2s, .told_after = 50ms, .tell = [&](const Silence& it) { told.push_back(it); }}};
    const auto limits = server.limits("C", "m");
    ASSERT_FALSE(limits);
    EXPECT_EQ(limits.error().fault(), Fault::timed_out);
    EXPECT_EQ(limits.error().text(), wording::say(wording::Language::chinese, wording::ClientSide::silent, {mute.url().text(), "2"}));
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].of, Of::server);
    EXPECT_EQ(told[0].server, mute.url().text());
    EXPECT_EQ(told[0].left, 1950ms);
}

TEST(Silence, OfAnUploadSaysHowFarItCame) {
    const Mute mute;
    const sys::Fd file = sys::memory_file("archive", bytes_of("0123456789"), false).value();
    const Server server{mute.url(), "token", wording::Language::english, "", {.max = 200ms, .told_after = 50ms, .tell = {}}};
    const auto sent = server.submit({.course = "C", .module = "m", .file = &file, .size = 10, .sha256 = "", .key = "k"});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().fault(), Fault::timed_out);
    EXPECT_EQ(sent.error().text(), wording::say(wording::Language::english, wording::ClientSide::silent_upload, {mute.url().text(), "0.2", "10", "10"}));
}

}  // namespace
}  // namespace assay::client
