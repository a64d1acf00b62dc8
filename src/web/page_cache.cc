#include "web/page_cache.hh"

namespace assay::web {
namespace {

constexpr int rounds_max = 3;  // of waiting for others' renderings that turn out too old; then the last one has to do
constexpr std::size_t entry_bytes = 1024;

std::size_t size_of(std::string_view key, const Page& page) { return page.kept->document->size() + 2 * key.size() + entry_bytes; }

}  // namespace

bool PageCache::right(const Page& page) const {
    return sys::to_ms(clock_.wall()) < page.until_ms && feed_.version(page.place) == page.version;
}

PagePtr PageCache::find(std::string_view key) {
    const Hashed hashed{key};
    Shard& shard = shard_of(hashed);
    PagePtr page;
    {
        const std::lock_guard lock{shard.mutex};
        const auto at = shard.slots.find(hashed);
        if (at == shard.slots.end() || !at->second.page) return nullptr;
        at->second.asked = true;
        page = at->second.page;
    }
    if (!right(*page)) return nullptr;
    found_.add();
    return page;
}

void PageCache::join(Shard& shard, const std::string& key, Done done) {
    Joined joined;
    {
        const std::lock_guard lock{shard.mutex};
        Slot& slot = shard.slots[key];
        if (slot.rendering) {
            slot.waiting.push_back(std::move(done));
            return;
        }
        slot.rendering = true;
        joined.leads = true;
        if (slot.page) joined.known = slot.page->topic;
    }
    done(std::move(joined));
}

void PageCache::drop_page(Shard& shard, std::string_view key, Slot& slot) {
    if (!slot.page) return;
    shard.bytes -= size_of(key, *slot.page);
    shard.order.erase(slot.order);
    slot.page.reset();
}

void PageCache::settle(Shard& shard, const std::string& key, const Result<PagePtr>& made) {
    std::vector<Done> waiting;
    {
        const std::lock_guard lock{shard.mutex};
        const auto at = shard.slots.find(key);
        ASSAY_ASSERT(at != shard.slots.end());
        Slot& slot = at->second;
        slot.rendering = false;
        waiting.swap(slot.waiting);
        drop_page(shard, key, slot);
        const bool keep = made && (*made)->kept && size_of(key, **made) <= page_bytes_max;
        if (keep) {
            slot.page = *made;
            slot.asked = true;  // Else it would be the first to go where all others are asked for.
            shard.order.push_front(at->first);
            slot.order = shard.order.begin();
            shard.bytes += size_of(key, **made);
        } else {
            shard.slots.erase(at);
        }
        while (shard.bytes > pages_bytes_max / shards_count) {
            const auto oldest = shard.slots.find(shard.order.back());
            if (std::exchange(oldest->second.asked, false)) {  // A second chance; each has one, so this ends.
                shard.order.splice(shard.order.begin(), shard.order, oldest->second.order);
                continue;
            }
            drop_page(shard, oldest->first, oldest->second);
            if (!oldest->second.rendering) shard.slots.erase(oldest);
        }
    }
    for (Done& done : waiting) done({.leads = false, .known = {}, .made = made});
}

loop::Task<Result<PagePtr>> PageCache::get(std::string key, Render render) {
    Shard& shard = shard_of(Hashed{key});
    for (int round = 1;; ++round) {
        if (auto there = find(key)) co_return there;
        auto joining = loop::from_callback<Joined>([this, &shard, &key](Done done) { join(shard, key, std::move(done)); });
        Joined joined = co_await joining;
        if (joined.leads) {
            rendered_.add();
            const auto work = [&] { return render(joined.known); };
            auto page = co_await pool_.run(work);
            Result<PagePtr> made = page ? Result<PagePtr>{std::make_shared<const Page>(std::move(page).value())}
                                        : Result<PagePtr>{page.take_error()};
            settle(shard, key, made);
            co_return made;
        }
        const Result<PagePtr>& made = *joined.made;
        // What was rendered for another may have been read before the change that this one comes to see.
        if (!made || !(*made)->kept || right(**made) || round == rounds_max) co_return made;
    }
}

}  // namespace assay::web
