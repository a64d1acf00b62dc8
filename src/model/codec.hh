// Both directions of a struct's JSON from one list of its fields, so that they cannot drift apart. For .cc files only:
// it is the one header that brings in nlohmann's json.hpp.
//
// A struct has `template <class V, Of<S> T> void fields(V& visit, T& it)` that calls visit("name", it.name) for each field.
// Reading: a missing key keeps the struct's default (what an older version stored stays readable), an unknown key or a
// wrong type is an error with its path. Writing: an empty optional is left out, or null with `or_null`.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/result.hh"
#include "base/text.hh"
#include "model/words.hh"

namespace assay::model {

template <class T, class S>
concept Of = std::same_as<std::remove_const_t<T>, S>;

// Bytes that need not be text: base64 in JSON.
template <class S>
struct Bytes {
    S& bytes;  // std::string or std::optional<std::string>, const when written
};
template <class S>
Bytes(S&) -> Bytes<S>;

constexpr std::int64_t json_integer_max = 1LL << 53;  // what every reader of JSON keeps exact

class JsonWriter {
public:
    template <class T>
    static nlohmann::ordered_json value_of(const T& value) {
        if constexpr (std::is_enum_v<T>) {
            return std::string{to_string(value)};
        } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
            return value;
        } else {
            JsonWriter writer;
            fields(writer, value);
            return std::move(writer.object_);
        }
    }
    template <class T>
    static nlohmann::ordered_json value_of(const std::vector<T>& list) {
        auto array = nlohmann::ordered_json::array();
        for (const T& value : list) array.push_back(value_of(value));
        return array;
    }

    template <class T>
    void operator()(const char* name, const T& value) { object_[name] = value_of(value); }
    template <class T>
    void operator()(const char* name, const std::optional<T>& value) {
        if (value) object_[name] = value_of(*value);
    }
    void operator()(const char* name, Bytes<const std::string> value) { object_[name] = to_base64(bytes_of(value.bytes)); }
    void operator()(const char* name, Bytes<const std::optional<std::string>> value) {
        if (value.bytes) object_[name] = to_base64(bytes_of(*value.bytes));
    }
    template <class T>
    void or_null(const char* name, const std::optional<T>& value) {
        object_[name] = value ? value_of(*value) : nlohmann::ordered_json{};
    }

    // Invalid UTF-8 that slipped through becomes U+FFFD: a document is always valid.
    template <class T>
    static std::string text_of_struct(const T& value) {
        return value_of(value).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    }

private:
    nlohmann::ordered_json object_ = nlohmann::ordered_json::object();
};

class JsonReader {
public:
    template <class T>
    static Result<T> read(const nlohmann::json& json) {
        T value;
        std::string problem;
        take(json, value, "", problem);
        if (!problem.empty()) return Error{Fault::invalid, std::move(problem)};
        return value;
    }

    template <class T>
    void operator()(const char* name, T& value) {
        if (const auto* found = find(name)) take(*found, value, path_ + "/" + name, problem_);
    }
    template <class T>
    void operator()(const char* name, std::optional<T>& value) {
        const auto* const found = find(name);
        if (!found || found->is_null()) return;
        take(*found, value.emplace(), path_ + "/" + name, problem_);
    }
    void operator()(const char* name, Bytes<std::string> value) {
        if (const auto* found = find(name)) take_bytes(name, *found, value.bytes);
    }
    void operator()(const char* name, Bytes<std::optional<std::string>> value) {
        const auto* const found = find(name);
        if (found && !found->is_null()) take_bytes(name, *found, value.bytes.emplace());
    }
    template <class T>
    void or_null(const char* name, std::optional<T>& value) { (*this)(name, value); }

private:
    using Json = nlohmann::json;

    JsonReader(const Json& object, std::string path, std::string& problem)
        : object_{object}, path_{std::move(path)}, problem_{problem} {}

    // The first problem is the one that is told.
    static void wrong(std::string& problem, const std::string& path, std::string_view what) {
        if (problem.empty()) problem = fmt::format("{}: {}", path.empty() ? "/" : path, what);
    }

    const Json* find(const char* name) {
        known_.insert(name);
        const auto found = object_.find(name);
        return found == object_.end() ? nullptr : &*found;
    }

    void take_bytes(const char* name, const Json& json, std::string& out) {
        auto bytes = json.is_string() ? from_base64(json.get_ref<const std::string&>()) : std::nullopt;
        if (!bytes) return wrong(problem_, path_ + "/" + name, "must be base64 text");
        out = std::move(*bytes);
    }

    static void take(const Json& json, bool& out, const std::string& path, std::string& problem) {
        if (!json.is_boolean()) return wrong(problem, path, "must be true or false");
        out = json.get<bool>();
    }
    static void take(const Json& json, std::string& out, const std::string& path, std::string& problem) {
        if (!json.is_string()) return wrong(problem, path, "must be text");
        out = json.get<std::string>();
    }
    static void take(const Json& json, double& out, const std::string& path, std::string& problem) {
        if (!json.is_number()) return wrong(problem, path, "must be a number");
        out = json.get<double>();
    }
    template <std::signed_integral T>
    static void take(const Json& json, T& out, const std::string& path, std::string& problem) {
        constexpr std::int64_t max = sizeof(T) < 8 ? std::int64_t{std::numeric_limits<T>::max()} : json_integer_max;
        const bool fits = json.is_number_unsigned() ? json.get<std::uint64_t>() <= static_cast<std::uint64_t>(max)
                                                    : json.is_number_integer() && json.get<std::int64_t>() >= -max;
        if (!fits) return wrong(problem, path, fmt::format("must be a whole number of at most {}", max));
        out = json.get<T>();
    }
    template <class T>
        requires std::is_enum_v<T>
    static void take(const Json& json, T& out, const std::string& path, std::string& problem) {
        const auto word = json.is_string() ? parse<T>(json.get_ref<const std::string&>()) : std::nullopt;
        if (!word) return wrong(problem, path, "is none of the known words");
        out = *word;
    }
    template <class T>
    static void take(const Json& json, std::vector<T>& out, const std::string& path, std::string& problem) {
        if (!json.is_array()) return wrong(problem, path, "must be a list");
        out.clear();
        out.reserve(json.size());
        for (std::size_t i = 0; i < json.size() && problem.empty(); ++i) {
            take(json[i], out.emplace_back(), fmt::format("{}/{}", path, i), problem);
        }
    }
    template <class T>
        requires std::is_class_v<T>
    static void take(const Json& json, T& out, const std::string& path, std::string& problem) {
        if (!json.is_object()) return wrong(problem, path, "must be an object");
        JsonReader reader{json, path, problem};
        fields(reader, out);
        if (!problem.empty() || json.size() == reader.known_.size()) return;
        for (const auto& [key, value] : json.items()) {
            if (!reader.known_.contains(key)) return wrong(problem, path + "/" + escaped(key, 64), "unknown key");
        }
    }

    const Json& object_;
    std::string path_;
    std::string& problem_;
    std::set<std::string, std::less<>> known_;
};

}  // namespace assay::model
