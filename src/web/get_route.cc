#include "web/get_route.hh"

#include "web/answer.hh"

namespace assay::web {

namespace {

// What can be no course and no module is left out: the page would repeat it in a command.
std::string name_parameter(const http::Request& request, std::string_view name) {
    auto value = request.parameter(name).value_or("");
    const bool usable = valid_name(value) && !value.starts_with('-');
    return usable ? std::move(value) : std::string{};
}

http::Response file_answer(const http::Request& request, const std::string& name, std::shared_ptr<const Client> client, std::string_view cached) {
    http::Response response;
    const std::string etag = '"' + client->sha256 + '"';
    if (matches(request.header("if-none-match"), etag)) {
        response.status = 304;
    } else {
        response.with("Content-Type", "application/octet-stream").with("Content-Disposition", "attachment; filename=\"" + name + '"');
        const std::string* const content = &client->content;
        response.shared_body = {std::move(client), content};
    }
    return response.with("Cache-Control", std::string{cached}).with("ETag", etag).with("X-Content-Type-Options", "nosniff");
}

}  // namespace

std::optional<OfferedClient> GetRoute::offered(ClientFor system) {
    const auto client = clients_.get(system);
    if (!client) return std::nullopt;
    return OfferedClient{.file_name = std::string{file_name_of(system)},
                         .size_bytes = static_cast<std::int64_t>(client->content.size()),
                         .sha256 = client->sha256};
}

loop::Task<http::Response> GetRoute::page(http::Request request) {
    const std::string course = name_parameter(request, "course");
    const std::string module = name_parameter(request, "module");
    const Look look = look_of(request, get_address(course, module));
    const auto work = [&]() -> Result<std::string> {
        const GetPage of{.server_url = parts_.server_url,
                         .course = course,
                         .module = module,
                         .for_linux = offered(ClientFor::linux_x86_64),
                         .for_windows = offered(ClientFor::windows_x86_64)};
        return get_page(look, of);
    };
    auto document = co_await parts_.pages.run(work);
    if (!document) co_return error_answer(request, look, document.error());
    co_return page_answer(request, 200, std::move(document).value());
}

loop::Task<Result<std::shared_ptr<const Client>>> GetRoute::find(std::string name) {
    const auto system = client_named(name);
    if (!system) co_return std::shared_ptr<const Client>{};
    const auto work = [&]() -> Result<std::shared_ptr<const Client>> { return clients_.get(*system); };
    co_return co_await parts_.pages.run(work);
}

loop::Task<http::Response> GetRoute::file(http::Request request) {
    const std::string name = request.captures.at(0);
    auto client = co_await find(name);
    if (!client) co_return error_answer(request, look_of(request, {}), client.error());
    if (!*client) co_return page_answer(request, 404, not_found_page(look_of(request, {})));
    co_return file_answer(request, name, std::move(client).value(), "public, no-cache");
}

loop::Task<http::Response> GetRoute::file_hashed(http::Request request) {
    const std::string name = request.captures.at(1);
    auto client = co_await find(name);
    if (!client) co_return error_answer(request, look_of(request, {}), client.error());
    if (!*client) co_return page_answer(request, 404, not_found_page(look_of(request, {})));
    if ((*client)->sha256 != request.captures.at(0)) {
        // Another one has taken its place: the page says which, and what its hash is.
        auto response = http::Response::redirect((Address{} / "get").text());
        co_return guarded(response);
    }
    co_return file_answer(request, name, std::move(client).value(), "public, max-age=31536000, immutable");
}

}  // namespace assay::web
