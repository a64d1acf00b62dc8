#include "image/wire.hh"

#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "model/json.hh"

namespace assay::image {
namespace {

using Json = nlohmann::json;

constexpr model::JsonBounds bounds{.size_max = line_bytes_max, .depth_max = 8, .values_max = 10'000};
constexpr std::string_view inputs[] = {"file", "tree", "layout"};

Error wrong() { return {Fault::invalid, "a line about an image that cannot be understood"}; }

std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'; }

// Missing or of another kind: 0, nothing.
std::int64_t number(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}
std::string text(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}
std::vector<std::string> texts(const Json& object, const char* name) {
    std::vector<std::string> all;
    const auto found = object.find(name);
    if (found == object.end() || !found->is_array()) return all;
    for (const Json& one : *found) {
        if (one.is_string()) all.push_back(one.get<std::string>());
    }
    return all;
}

Json json_of(const Left& left) {
    return {{"devices", left.devices}, {"set_ids", left.set_ids}, {"attributes", left.attributes}, {"replaced", left.replaced}};
}
Left left_from(const Json& object) {
    const auto found = object.find("left_out");
    if (found == object.end() || !found->is_object()) return {};
    return {.devices = number(*found, "devices"), .set_ids = number(*found, "set_ids"), .attributes = number(*found, "attributes"), .replaced = texts(*found, "replaced")};
}

Result<Json> object_from(std::string_view line) {
    ASSAY_TRY(Json json, model::parse_json(line, bounds));
    if (!json.is_object()) return wrong();
    return json;
}

struct Line {
    std::string operator()(const Progress& p) const {
        return line_of({{"progress", {{"layer", p.layer}, {"layers", p.layers}, {"entries", p.entries}, {"bytes", p.bytes}}}});
    }
    std::string operator()(const Filled& f) const { return line_of({{"filled", {{"environment", f.environment}, {"left_out", json_of(f.left)}}}}); }
    std::string operator()(const Error& e) const { return line_of({{"error", {{"fault", to_string(e.fault())}, {"text", e.text()}}}}); }
};

// What is wrong with an image is told apart from what is wrong with us; nothing else is believed.
Fault fault_from(std::string_view word) {
    for (const Fault fault : {Fault::invalid, Fault::denied, Fault::missing, Fault::too_large, Fault::unsupported, Fault::disk_full, Fault::disk_failed}) {
        if (to_string(fault) == word) return fault;
    }
    return Fault::internal;
}

}  // namespace

std::string to_line(const Order& order) {
    return line_of({{"input", inputs[static_cast<std::size_t>(order.input)]}, {"bytes_max", order.bytes_max}});
}

Result<Order> order_from(std::string_view line) {
    ASSAY_TRY(const Json json, object_from(line));
    Order order{.input = Input::file, .bytes_max = number(json, "bytes_max")};
    const std::string input = text(json, "input");
    for (const Input one : {Input::file, Input::pipe_of_tree, Input::pipe_of_layout}) {
        if (inputs[static_cast<std::size_t>(one)] == input) order.input = one;
    }
    return order;
}

std::string to_line(const Told& told) { return std::visit(Line{}, told); }

Result<Told> told_from(std::string_view line) {
    ASSAY_TRY(const Json json, object_from(line));
    const auto of = [&](const char* name) -> const Json* {
        const auto found = json.find(name);
        return found != json.end() && found->is_object() ? &*found : nullptr;
    };
    if (const Json* const p = of("progress")) {
        return Told{Progress{.layer = static_cast<std::size_t>(number(*p, "layer")), .layers = static_cast<std::size_t>(number(*p, "layers")),
                             .entries = number(*p, "entries"), .bytes = number(*p, "bytes")}};
    }
    if (const Json* const f = of("filled")) return Told{Filled{.environment = texts(*f, "environment"), .left = left_from(*f)}};
    if (const Json* const e = of("error")) return Told{Error{fault_from(text(*e, "fault")), escaped(text(*e, "text"), 1000)}};
    return wrong();
}

std::string to_json(const Info& info) {
    return line_of({{"digest", info.digest}, {"bytes", info.bytes}, {"entries", info.entries}, {"environment", info.environment}, {"left_out", json_of(info.left)}});
}

Result<Info> info_from(std::string_view json) {
    ASSAY_TRY(const Json object, object_from(json));
    return Info{.digest = text(object, "digest"), .bytes = number(object, "bytes"), .entries = number(object, "entries"),
                .environment = texts(object, "environment"), .left = left_from(object)};
}

}  // namespace assay::image
