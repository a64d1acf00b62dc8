// SHA-1 as a running sum: for what others have fixed to it, never for what we must trust.
#pragma once

#include <memory>
#include <string>

#include "base/text.hh"

namespace assay::sys {

class Sha1 {
public:
    Sha1();
    ~Sha1();
    Sha1(const Sha1&) = delete;
    Sha1& operator=(const Sha1&) = delete;

    void add(ByteView);
    std::string digest() &&;  // 20 raw bytes; the object is spent afterwards

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

}  // namespace assay::sys
