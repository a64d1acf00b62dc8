// Written by hand, since /assay/run prints it too and starts for every test: no library comes with it. Indented by two spaces, fields in this order.
#include "cli/outcome_json.hh"

#include <cmath>

#include "base/text.hh"

namespace assay::cli {
namespace {

std::string quoted(std::string_view text) {
    constexpr std::string_view special = "\"\\\b\f\n\r\t";
    constexpr std::string_view letters = "\"\\bfnrt";
    constexpr std::string_view digits = "0123456789abcdef";
    std::string json = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (const std::size_t at = special.find(c); at != special.npos) (json += '\\') += letters[at];
        else if (byte < 0x20) ((json += "\\u00") += digits[byte >> 4]) += digits[byte & 15];
        else json += c;
    }
    return json += '"';
}

// With a fraction, down to nanoseconds.
std::string milliseconds(double value) {
    constexpr int fraction_digits = 6;
    constexpr double largest = 1e12;
    if (!(std::abs(value) < largest)) return "null";
    const auto signed_ns = static_cast<std::int64_t>(value * 1e6 + (value < 0 ? -0.5 : 0.5));
    const std::int64_t ns = std::abs(signed_ns);
    std::string fraction = std::to_string(ns % 1'000'000);
    fraction.insert(0, fraction_digits - fraction.size(), '0');
    while (fraction.size() > 1 && fraction.back() == '0') fraction.pop_back();
    return (signed_ns < 0 ? "-" : "") + std::to_string(ns / 1'000'000) + "." + fraction;
}

std::string number(std::int64_t value) { return std::to_string(value); }
std::string yes_or_no(bool value) { return value ? "true" : "false"; }
template <class T>
std::string or_null(const std::optional<T>& value, std::string (*shown)(T)) {  // null: this host does not tell
    return value ? shown(*value) : "null";
}

class Object {
public:
    explicit Object(std::size_t level = 1) : indent_(2 * level, ' ') {}
    Object& add(std::string_view name, std::string_view value) {
        text_.append(text_.empty() ? "{\n" : ",\n")
            .append(indent_)
            .append("\"")
            .append(name)
            .append("\": ")
            .append(value);
        return *this;
    }
    std::string closed() && { return std::move(text_) + "\n" + indent_.substr(2) + "}"; }

private:
    std::string indent_;
    std::string text_;
};

std::string json_of(const model::Limits& limits, model::Scratch scratch) {
    Object json{2};
    json.add("cpu_ms", number(limits.cpu_ms))
        .add("wall_ms", number(limits.wall_ms))
        .add("memory_bytes", number(limits.memory_bytes));
    json.add("processes", number(limits.processes))
        .add("output_bytes", number(limits.output_bytes))
        .add("disk_bytes", number(limits.disk_bytes));
    json.add("open_files", number(limits.open_files)).add("cores", limits.cores > 0 ? number(limits.cores) : "null");
    json.add("io_bytes", limits.io_bytes > 0 ? number(limits.io_bytes) : "null")
        .add("scratch", quoted(model::to_string(scratch)));
    return std::move(json).closed();
}

std::string json_of(const model::Guarantees& g, bool writable_bind) {
    const auto word = [](model::Guarantee guarantee) { return quoted(model::to_string(guarantee)); };
    Object json{2};
    json.add("cpu", word(g.cpu))
        .add("wall", word(g.wall))
        .add("memory", word(g.memory))
        .add("processes", word(g.processes))
        .add("output", word(g.output));
    // Writes to a writable bind go past the scratch, so `disk` does not hold for them.
    json.add("disk", word(writable_bind ? model::Guarantee::none : g.disk)).add("cores", word(g.cores)).add("io", word(g.io));
    return std::move(json).closed();
}

}  // namespace

std::string outcome_json(const model::Outcome& outcome, model::Verdict verdict, bool writable_bind) {
    Object json;
    json.add("verdict", quoted(model::to_string(verdict)));
    if (outcome.exit_code) json.add("exit_code", number(*outcome.exit_code));
    if (outcome.signal) json.add("signal", number(*outcome.signal));
    json.add("cpu_user_ms", milliseconds(outcome.cpu_user_ms));
    json.add("cpu_system_ms", milliseconds(outcome.cpu_system_ms));
    json.add("wall_ms", milliseconds(outcome.wall_ms));
    json.add("throttled_ms", or_null(outcome.throttled_ms, milliseconds));
    json.add("memory_peak_bytes", number(outcome.memory_peak_bytes));
    json.add("memory_file_bytes", or_null(outcome.memory_file_bytes, number));
    json.add("memory_stalled_ms", or_null(outcome.memory_stalled_ms, milliseconds));
    json.add("processes_peak", outcome.processes_peak > 0 ? number(outcome.processes_peak) : "null");
    json.add("io_read_bytes", or_null(outcome.io_read_bytes, number));
    json.add("io_write_bytes", or_null(outcome.io_write_bytes, number));
    json.add("stdout", quoted(replace_invalid_utf8(outcome.output.text())));
    json.add("stderr", quoted(replace_invalid_utf8(outcome.errors.text())));
    json.add("stdout_bytes", number(outcome.output.bytes));
    json.add("stderr_bytes", number(outcome.errors.bytes));
    json.add("stdout_dropped_bytes", number(outcome.output.dropped_bytes));
    json.add("stderr_dropped_bytes", number(outcome.errors.dropped_bytes));
    json.add("trustworthy_timing", or_null(outcome.trustworthy_timing, yes_or_no));
    json.add("limits", json_of(outcome.limits, outcome.scratch));
    json.add("guarantees", json_of(outcome.guarantees, writable_bind));
    if (!outcome.fault.empty()) json.add("fault", quoted(outcome.fault));
    return std::move(json).closed();
}

}  // namespace assay::cli
