// Fd: owns one file descriptor. Move-only; closes on destruction; there is no implicit int.
#pragma once

#include <utility>

namespace assay::sys {

class Fd {
public:
    Fd() = default;
    explicit Fd(int raw) : raw_{raw} {}
    Fd(Fd&& other) noexcept : raw_{std::exchange(other.raw_, -1)} {}
    Fd& operator=(Fd&& other) noexcept {
        Fd incoming{std::move(other)};  // Closes what we held, survives self-move.
        std::swap(raw_, incoming.raw_);
        return *this;
    }
    ~Fd() { reset(); }

    int get() const { return raw_; }
    explicit operator bool() const { return raw_ >= 0; }
    int release() { return std::exchange(raw_, -1); }
    void reset();

private:
    int raw_ = -1;
};

}  // namespace assay::sys
