// Step<T>: a value, or why reading stops: a Refused (the archive is wrong) or an Error (we could not read). Internal to archive.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "archive/archive.hh"
#include "base/result.hh"

namespace assay::archive {

using Stop = std::variant<Refused, Error>;

// Works with ASSAY_TRY and ASSAY_CHECK, like Result.
template <class T = Unit>
class [[nodiscard]] Step {
public:
    Step() requires std::same_as<T, Unit> : inner_{Unit{}} {}
    Step(T value) : inner_{std::move(value)} {}
    Step(Refused refused) : inner_{std::unexpected{Stop{std::move(refused)}}} {}
    Step(Error error) : inner_{std::unexpected{Stop{std::move(error)}}} {}
    Step(Stop stop) : inner_{std::unexpected{std::move(stop)}} {}

    explicit operator bool() const { return inner_.has_value(); }
    T&& value() && { return std::move(*inner_); }
    T& operator*() { return *inner_; }
    T* operator->() { return &*inner_; }
    const Stop& error() const { return inner_.error(); }
    Stop take_error() { return std::move(inner_.error()); }

private:
    std::expected<T, Stop> inner_;
};

// For the faults of `damaged` that say which format they were seen in.
inline Refused damaged(std::int64_t offset, ArchiveFault fault, std::string_view format) {
    return {.fault = fault, .arguments = {std::string{format}}, .offset = offset};
}

}  // namespace assay::archive
