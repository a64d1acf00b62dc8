// Body: what a request's head and body say, taken into a Form: multipart/form-data, or (at the API) the archive's bytes alone with
// course and module in the address and the token in the header. Pure but for the Form's spool.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "http/message.hh"
#include "http/multipart.hh"
#include "intake/form.hh"

namespace assay::intake {

// What the client says the archive's bytes are, before or with them.
struct Declared {
    std::optional<std::string> sha256;  // 64 lower-case hex digits
    std::optional<std::int64_t> size;
};
// Of the form's fields and, of a body that is the archive itself, Repr-Digest (RFC 9530). The FormProblem: one of them cannot be read.
std::expected<Declared, FormProblem> declared_of(const http::Request&, const Fields&, bool raw);

// The Idempotency-Key as it was sent; "" = none. The FormProblem: it is not one.
std::expected<std::string, FormProblem> upload_key_of(const http::Request&);

class Body {
public:
    // Errors: invalid (multipart/form-data is needed, or its boundary is wrong).
    static Result<Body> of(const http::Request&, bool raw_allowed);

    bool raw() const { return !multipart_.has_value(); }
    // Before the first byte: gives the form what the head says. Errors: invalid (form.problem()).
    Result<> begin(const http::Request&, Form&);
    Result<> feed(ByteView, Form&);
    // After the last byte. Whether the body was whole.
    Result<bool> end(Form&);

private:
    std::optional<http::Multipart> multipart_;
};

}  // namespace assay::intake
