// Form: the plain upload's multipart body, taken apart while it arrives. Fields stay small in memory, the file goes to a
// spool; nothing is decided here beyond sizes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "http/multipart.hh"
#include "intake/accept.hh"
#include "intake/spool.hh"

namespace assay::intake {

struct Fields {
    std::optional<std::string> token;
    std::optional<std::string> course;
    std::optional<std::string> module;
    std::optional<std::string> sha256;  // declared, as sent
    std::optional<std::string> size;
};

class Form final : public http::MultipartSink {
public:
    // Beyond `file_size_max` bytes of the file are counted, not kept.
    // `shed`: as of Spool.
    Form(Spools& spools, std::size_t field_bytes_max, std::int64_t file_size_max, std::function<void()> shed = {})
        : spools_{spools}, field_bytes_max_{field_bytes_max}, file_size_max_{file_size_max}, shed_{std::move(shed)} {}

    Result<> begin(const http::Part& part) override;
    Result<> data(ByteView bytes) override;
    Result<> end() override;

    const Fields& fields() const { return fields_; }
    // Whether token, course and module are there to their last byte.
    bool claim_complete() const { return field_ == nullptr && fields_.token && fields_.course && fields_.module; }
    // Once the module is known. Lowers what is kept, never raises it.
    void limit_file(std::int64_t size_max) { file_size_max_ = std::min(file_size_max_, size_max); }

    // What begin or data found wrong, when one of them failed for that.
    const std::optional<FormProblem>& problem() const { return problem_; }

    bool file_begun() const { return file_begun_; }
    // Whether its SHA-256 was declared before its first byte came.
    bool declared_first() const { return declared_first_; }
    bool file_complete() const { return file_complete_; }
    std::int64_t file_bytes() const { return file_bytes_; }   // as sent, kept or not
    bool file_too_large() const { return file_bytes_ > file_size_max_; }
    Spool& file() { return *file_; }
    // What arrives from now on goes to the disk.
    bool on_disk() const { return in_file_ && file_->on_disk(); }
    // Whether feeding so many bytes touches no disk, and so may be done on a loop.
    bool stays_in_memory(std::size_t more) const { return file_ ? file_->stays_in_memory(more) : Spool{spools_}.stays_in_memory(more); }

private:
    Error wrong(wording::FormFault, std::string argument);

    Spools& spools_;
    std::size_t field_bytes_max_;
    std::int64_t file_size_max_;
    std::function<void()> shed_;
    Fields fields_;
    std::optional<FormProblem> problem_;
    std::optional<std::string>* field_ = nullptr;  // the field that is arriving
    bool in_file_ = false;
    bool file_begun_ = false;
    bool declared_first_ = false;
    bool file_complete_ = false;
    std::int64_t file_bytes_ = 0;
    std::optional<Spool> file_;
};

}  // namespace assay::intake
