#include "intake/form.hh"

namespace assay::intake {

Error Form::wrong(wording::FormFault fault, std::string argument) {
    problem_ = FormProblem{fault, std::move(argument)};
    return {Fault::invalid, wording::sentence(wording::Language::english, fault, problem_->argument)};
}

Result<> Form::begin(const http::Part& part) {
    field_ = nullptr;
    in_file_ = false;
    if (part.name == "token") field_ = &fields_.token;
    else if (part.name == "course") field_ = &fields_.course;
    else if (part.name == "module") field_ = &fields_.module;
    else if (part.name == "sha256") field_ = &fields_.sha256;
    else if (part.name == "size") field_ = &fields_.size;
    else if (part.name == "file") {
        if (file_begun_) return wrong(wording::FormFault::field_twice, part.name);
        in_file_ = true;
        file_begun_ = true;
        declared_first_ = fields_.sha256.has_value();
        file_.emplace(spools_, shed_);
    }
    if (field_ != nullptr) {
        // Two tokens or modules: which one was meant must never be a question.
        if (field_->has_value()) return wrong(wording::FormFault::field_twice, part.name);
        field_->emplace();
    }
    return ok;  // Other fields are read over: old forms send a submit button's name.
}

Result<> Form::data(ByteView bytes) {
    if (in_file_) {
        file_bytes_ += static_cast<std::int64_t>(bytes.size());
        if (file_too_large()) return ok;
        return file_->write(bytes);
    }
    if (field_ != nullptr) {
        if ((*field_)->size() + bytes.size() > field_bytes_max_) {
            return wrong(wording::FormFault::field_too_long, std::to_string(field_bytes_max_));
        }
        (*field_)->append(text_of(bytes));
    }
    return ok;
}

Result<> Form::end() {
    if (in_file_) file_complete_ = true;
    in_file_ = false;
    field_ = nullptr;
    return ok;
}

}  // namespace assay::intake
