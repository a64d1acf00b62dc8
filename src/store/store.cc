#include "store/store.hh"

#include <future>

namespace assay::store {

Result<> Store::write_and_wait(Change change, Need need) {
    std::promise<Result<>> answer;
    auto arrived = answer.get_future();
    write(std::move(change), [&answer](Result<> result) { answer.set_value(std::move(result)); }, need);
    return arrived.get();
}

}  // namespace assay::store
