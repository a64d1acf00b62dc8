// Result<T>: a value or an Error. Error: one of a closed set of kinds, and a sentence for a person.
//
// Invariants
//   1. Whatever a user, a disk, a kernel or another process can cause is an Error, never an assertion or an exception.
//   2. A Fault is mapped once to an HTTP status (http/problem.hh) and once to an exit code (cli/exit_code.hh).
//   3. Each layer adds the step it was in (`in`); none swallows.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace assay {

enum class Fault {
    invalid,      // The caller's data is wrong; trying again changes nothing.
    missing,      // The thing named does not exist.
    denied,       // Not allowed: rights, a border, a policy.
    conflict,     // Someone else was first, or the token is stale.
    too_large,    // A limit was crossed; the text names it.
    busy,         // A bounded resource is full now; later may work.
    timed_out,    // A deadline passed.
    disk_full,    // ENOSPC or EDQUOT before anything was made durable.
    disk_failed,  // A failed fsync, fdatasync or EIO: what the disk holds is not known.
    interrupted,  // We are stopping.
    unsupported,  // This host or this version cannot do it; the text names what is lacking.
    unreachable,  // The other side of a connection is not there.
    system,       // Any other failed system call.
    internal,     // Our own fault that we could contain.
};

std::string_view to_string(Fault);

class [[nodiscard]] Error {
public:
    Error(Fault fault, std::string text) : fault_{fault}, text_{std::move(text)} {}

    Fault fault() const { return fault_; }
    const std::string& text() const { return text_; }

    // Adds the step in which it happened: "apply course: open(course.toml): No such file or directory".
    Error in(std::string_view step) && {
        text_.insert(0, std::string{step} + ": ");
        return std::move(*this);
    }

private:
    Fault fault_;
    std::string text_;
};

struct Unit {
    bool operator==(const Unit&) const = default;
};

template <class T = Unit>
class [[nodiscard]] Result {
public:
    using Value = T;

    Result() requires std::same_as<T, Unit> : inner_{Unit{}} {}
    Result(T value) : inner_{std::move(value)} {}
    Result(Error error) : inner_{std::unexpected{std::move(error)}} {}

    explicit operator bool() const { return inner_.has_value(); }
    bool has_value() const { return inner_.has_value(); }

    T& value() & { return inner_.value(); }
    const T& value() const& { return inner_.value(); }
    T&& value() && { return std::move(inner_).value(); }
    T& operator*() & { return *inner_; }
    const T& operator*() const& { return *inner_; }
    T* operator->() { return &*inner_; }
    const T* operator->() const { return &*inner_; }

    const Error& error() const { return inner_.error(); }
    Error take_error() { return std::move(inner_.error()); }

private:
    std::expected<T, Error> inner_;
};

inline constexpr Unit ok{};

}  // namespace assay

#define ASSAY_CONCAT_INNER(a, b) a##b
#define ASSAY_CONCAT(a, b) ASSAY_CONCAT_INNER(a, b)

// ASSAY_TRY(const Fd dir, open_box(box)); returns the error from this function, or declares `dir`.
#define ASSAY_TRY(declaration, ...) ASSAY_TRY_INNER(ASSAY_CONCAT(assay_result_, __LINE__), declaration, __VA_ARGS__)
#define ASSAY_TRY_INNER(result, declaration, ...) \
    auto result = (__VA_ARGS__);                  \
    if (!result) return result.take_error();      \
    declaration = std::move(result).value()

// The same for a Result<Unit>, or where the value is not wanted.
#define ASSAY_CHECK(...)                                                       \
    do {                                                                       \
        if (auto assay_result = (__VA_ARGS__); !assay_result) return assay_result.take_error(); \
    } while (false)

// The same inside a coroutine.
#define ASSAY_CO_TRY(declaration, ...) ASSAY_CO_TRY_INNER(ASSAY_CONCAT(assay_result_, __LINE__), declaration, __VA_ARGS__)
#define ASSAY_CO_TRY_INNER(result, declaration, ...) \
    auto result = (__VA_ARGS__);                     \
    if (!result) co_return result.take_error();      \
    declaration = std::move(result).value()

#define ASSAY_CO_CHECK(...)                                                       \
    do {                                                                          \
        if (auto assay_result = (__VA_ARGS__); !assay_result) co_return assay_result.take_error(); \
    } while (false)
