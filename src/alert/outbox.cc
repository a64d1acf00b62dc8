#include "alert/outbox.hh"

#include <algorithm>

#include "base/text.hh"

namespace assay::alert {
namespace {

constexpr std::int64_t minute_ms = 60'000;

auto delivery_to(auto& posted, const std::string& receiver) {
    return std::ranges::find(posted.to, receiver, &Delivery::receiver);
}

}  // namespace

void Outbox::post(const Message& message, const std::vector<std::string>& receivers, std::int64_t now_ms) {
    Posted posted{.message = message};
    for (const std::string& receiver : receivers) {
        if (per_minute_.contains(receiver)) posted.to.push_back({.receiver = receiver, .next_ms = now_ms});
    }
    if (!posted.to.empty()) posted_.push_back(std::move(posted));
    bound(now_ms);
}

void Outbox::bound(std::int64_t now_ms) {
    dropped_ += static_cast<std::int64_t>(
        std::erase_if(posted_, [&](const Posted& it) { return now_ms - it.message.at_ms > keep_ms; }));
    while (posted_.size() > messages_max) {
        posted_.erase(std::ranges::min_element(posted_, {}, [](const Posted& it) { return it.message.severity; }));
        ++dropped_;
    }
}

std::int64_t Outbox::rate_ms(const std::string& receiver) const {
    const auto sent = sent_.find(receiver);
    const auto most = static_cast<std::size_t>(per_minute_.at(receiver));
    if (sent == sent_.end() || sent->second.size() < most) return 0;
    return sent->second[sent->second.size() - most] + minute_ms;
}

std::optional<std::int64_t> Outbox::next_ms(const std::string& receiver, std::int64_t now_ms) const {
    if (!per_minute_.contains(receiver)) return std::nullopt;
    for (const Posted& posted : posted_) {
        const auto delivery = delivery_to(posted, receiver);
        if (delivery != posted.to.end()) return std::max({now_ms, delivery->next_ms, rate_ms(receiver)});
    }
    return std::nullopt;
}

std::optional<Message> Outbox::due(const std::string& receiver, std::int64_t now_ms) const {
    if (next_ms(receiver, now_ms) != now_ms) return std::nullopt;
    const auto first =
        std::ranges::find_if(posted_, [&](const Posted& it) { return delivery_to(it, receiver) != it.to.end(); });
    return first->message;
}

void Outbox::began(const std::string& receiver, std::int64_t now_ms) {
    std::deque<std::int64_t>& sent = sent_[receiver];
    while (!sent.empty() && now_ms - sent.front() >= minute_ms) sent.pop_front();
    sent.push_back(now_ms);
}

void Outbox::taken(const std::string& receiver, const std::string& message_id) {
    for (Posted& posted : posted_) {
        if (posted.message.id == message_id)
            std::erase_if(posted.to, [&](const Delivery& it) { return it.receiver == receiver; });
    }
    std::erase_if(posted_, [](const Posted& posted) { return posted.to.empty(); });
}

void Outbox::failed(const std::string& receiver, const std::string& message_id, const std::string& error,
                    std::int64_t now_ms) {
    for (Posted& posted : posted_) {
        const auto delivery = delivery_to(posted, receiver);
        if (posted.message.id != message_id || delivery == posted.to.end()) continue;
        const int doublings = std::min(delivery->tries, 20);
        delivery->next_ms = now_ms + std::min(retry_max_ms, retry_first_ms << doublings);
        ++delivery->tries;
        delivery->error = escaped(error, text_bytes_max);
    }
    bound(now_ms);
}

void Outbox::remember(std::vector<Posted> posted, std::int64_t now_ms) {
    posted_ = std::move(posted);
    for (Posted& it : posted_) {
        std::erase_if(it.to, [&](const Delivery& delivery) { return !per_minute_.contains(delivery.receiver); });
        it.message.at_ms = std::min(it.message.at_ms, now_ms);
        for (Delivery& delivery : it.to) delivery.next_ms = std::min(delivery.next_ms, now_ms + retry_max_ms);
    }
    std::erase_if(posted_, [](const Posted& it) { return it.to.empty(); });
    bound(now_ms);
}

std::int64_t Outbox::oldest_ms(std::int64_t now_ms) const {
    return posted_.empty() ? 0 : std::max<std::int64_t>(0, now_ms - posted_.front().message.at_ms);
}

}  // namespace assay::alert
