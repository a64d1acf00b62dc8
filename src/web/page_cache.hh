// PageCache: participants' pages, rendered once per change and answered from memory.
//
// Invariants
//   1. A page shows at least every change that the feed had told of when it was asked for, and is within its own age.
//   2. One rendering per key at a time; whoever wants the same page meanwhile waits for that one.
//   3. Memory: pages_bytes_max; what nobody has asked for since it came round last goes first. A page above page_bytes_max is shown and not kept.
//
// Threading: safe from every loop. No lock is held while anything is rendered, awaited or compared with the feed.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.hh"
#include "base/result.hh"
#include "loop/loop.hh"
#include "queue/feed.hh"
#include "sys/clock.hh"
#include "web/answer.hh"

namespace assay::web {

constexpr std::size_t pages_bytes_max = 32u << 20;
constexpr std::size_t page_bytes_max = 2u << 20;
constexpr std::int64_t page_age_max_ms = 60'000;  // of any page, whatever the feed says

struct Page {
    std::optional<Kept> kept;                     // nullopt: there is no such page
    queue::Topic topic;
    queue::Feed::Place place = 0;                 // of the topic
    std::uint64_t version = 0;                    // of the topic, taken before anything that the page shows was read
    std::int64_t until_ms = 0;                    // wall time from which on it may be wrong, whatever the feed says
    std::int64_t position = 0;                    // the front one in line of those it shows; 0: none is
    std::uint64_t moves = 0;                      // of the line when that was read
    std::optional<std::chrono::milliseconds> again;  // how soon whoever watches the page should look again
};
using PagePtr = std::shared_ptr<const Page>;

class PageCache {
public:
    // On a pool thread. `known`: the topic the key had last, nullopt when it is new.
    using Render = std::function<Result<Page>(const std::optional<queue::Topic>& known)>;

    // All must outlive the cache.
    PageCache(const queue::Feed& feed, const sys::Clock& clock, loop::Pool& pool) : feed_{feed}, clock_{clock}, pool_{pool} {}

    // What is there and right; nullptr: get() it. Waits for nothing.
    PagePtr find(std::string_view key);
    // The page, rendered when it has to be. Never null. Errors: busy (the pool is full), and what `render` returns.
    loop::Task<Result<PagePtr>> get(std::string key, Render render);

private:
    struct Joined {
        bool leads = false;                   // renders for all who wait
        std::optional<queue::Topic> known;
        std::optional<Result<PagePtr>> made;  // when it does not lead
    };
    using Done = loop::FromCallback<Joined>::Done;
    struct Slot {
        PagePtr page;
        std::list<std::string_view>::iterator order;  // valid while `page` is set
        bool asked = false;                           // for, since its place in the order was last looked at
        bool rendering = false;
        std::vector<Done> waiting;                    // bounded by the connections
    };
    // A key with its hash, which names the shard first and then the place in it.
    struct Hashed {
        explicit Hashed(std::string_view k) : key{k}, hash{std::hash<std::string_view>{}(k)} {}
        std::string_view key;
        std::size_t hash;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
        std::size_t operator()(const Hashed& hashed) const { return hashed.hash; }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(std::string_view a, std::string_view b) const { return a == b; }
        bool operator()(const Hashed& a, std::string_view b) const { return a.key == b; }
        bool operator()(std::string_view a, const Hashed& b) const { return a == b.key; }
    };
    struct Shard {
        std::mutex mutex;
        std::unordered_map<std::string, Slot, Hash, Equal> slots;
        std::list<std::string_view> order;  // of those with a page; the next to go, unless it was asked for, at the back
        std::size_t bytes = 0;
    };
    static constexpr std::size_t shards_count = 8;

    Shard& shard_of(const Hashed& hashed) { return shards_[hashed.hash / 64 % shards_count]; }
    bool right(const Page& page) const;
    void join(Shard& shard, const std::string& key, Done done);
    void settle(Shard& shard, const std::string& key, const Result<PagePtr>& made);
    static void drop_page(Shard& shard, std::string_view key, Slot& slot);

    const queue::Feed& feed_;
    const sys::Clock& clock_;
    loop::Pool& pool_;
    std::array<Shard, shards_count> shards_;
    metrics::Counter& rendered_ = metrics::registry().counter("assay_pages_rendered_total", "Participants' pages that were rendered.");
    metrics::Counter& found_ = metrics::registry().counter("assay_pages_from_memory_total", "Participants' pages answered without rendering.");
};

}  // namespace assay::web
