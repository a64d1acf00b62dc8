#include "dispatch/wire.hh"

#include <gtest/gtest.h>

#include "dispatch/dispatch.hh"

namespace assay::dispatch {
namespace {

TEST(Wire, WellFormedRequestsAreRead) {
    const auto session = session_request(R"({"protocol":1,"name":"local","slots":2,"can_grade":true,"missing":[]})");
    ASSERT_TRUE(session);
    EXPECT_EQ(session->slots, 2);
    EXPECT_EQ(session_request(R"({"protocol":1,"name":"x","slots":2,"can_grade":false,"missing":["cgroups"]})")->slots, 0);
    EXPECT_EQ(lease_request(R"({"epoch":3,"slot":0,"wait_ms":20000})")->wait_ms, 20'000);
    const auto event = event_request(R"({"token":{"job":7,"attempt":2,"epoch":3},"sequence":4,"stage":"tests","test":"adds"})");
    ASSERT_TRUE(event);
    EXPECT_EQ(event->token, (queue::Token{JobId{7}, 2, 3}));
    EXPECT_FALSE(event->reason);
    const std::string waits =
        R"({"token":{"job":7,"attempt":2,"epoch":3},"sequence":5,"stage":"tests","test":"adds","reason":)";
    EXPECT_EQ(event_request(waits + "\"pressure\"}")->reason, model::Reason::pressure);
    EXPECT_FALSE(event_request(waits + "\"boredom\"}"));
    EXPECT_FALSE(event_request(waits + "7}"));
    EXPECT_EQ(heartbeat_request(R"({"epoch":3,"running":[{"job":7,"attempt":2,"epoch":3}]})")->running.size(), 1u);
    const auto fault = result_request(R"({"token":{"job":7,"attempt":2,"epoch":3},"fault":"it broke"})");
    ASSERT_TRUE(fault);
    EXPECT_EQ(std::get<FaultText>(fault->outcome).text, "it broke");
    model::Report report;
    report.verdict = model::Verdict::passed;
    const auto result = result_request(R"({"token":{"job":7,"attempt":2,"epoch":3},"report":)" + model::to_json(report) + "}");
    ASSERT_TRUE(result) << result.error().text();
    EXPECT_EQ(std::get<queue::Finished>(result->outcome).verdict, model::Verdict::passed);
}

TEST(Wire, EverythingElseIsRefusedInWords) {
    for (const char* body : {"", "{", "[]", "7", R"({"protocol":2,"name":"x","slots":1,"can_grade":true,"missing":[]})",
                             R"({"protocol":1,"name":"x","slots":-1,"can_grade":true,"missing":[]})",
                             R"({"protocol":1,"name":"x","slots":1e9,"can_grade":true,"missing":[]})",
                             R"({"protocol":1,"name":"x","slots":99999999,"can_grade":true,"missing":[]})",
                             R"({"protocol":1,"name":"x","slots":1,"can_grade":1,"missing":[]})",
                             R"({"protocol":1,"name":"x","slots":1,"can_grade":true,"missing":[7]})"}) {
        EXPECT_FALSE(session_request(body)) << body;
    }
    EXPECT_FALSE(lease_request(R"({"epoch":3,"slot":0,"wait_ms":20001})"));
    EXPECT_FALSE(heartbeat_request(R"({"epoch":3,"running":[{"job":7}]})"));
    const std::string token = R"("token":{"job":7,"attempt":2,"epoch":3})";
    EXPECT_FALSE(result_request("{" + token + "}"));
    EXPECT_FALSE(result_request("{" + token + R"(,"fault":"x","report":{}})"));
    EXPECT_FALSE(result_request("{" + token + R"(,"report":{"verdict":"excellent"}})"));
    EXPECT_FALSE(result_request("{" + token + R"(,"report":)" + std::string(100, '[') + std::string(100, ']') + "}"));
    const std::string event = "{" + token + R"(,"sequence":1,"stage":"tests","test":"","report":{"stages":[)";
    EXPECT_TRUE(event_request(event + R"({"name":"tests"}]}})"));
    EXPECT_FALSE(event_request(event + R"({"name":"other"}]}})"));
    EXPECT_FALSE(event_request(event + "]}}"));
    EXPECT_EQ(event_request(std::string(event_bytes_max + 1, ' ')).error().fault(), Fault::too_large);
}

}  // namespace
}  // namespace assay::dispatch
