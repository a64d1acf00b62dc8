// The confined side of an import. It gives up its rights, then reads; it says how far it is, and how it ended.
#include <array>
#include <cstdlib>
#include <new>

#include <fmt/format.h>

#include "image/layers.hh"
#include "image/layout.hh"
#include "image/limits.hh"
#include "image/wire.hh"
#include "sys/clock.hh"
#include "sys/confine.hh"
#include "sys/file.hh"
#include "sys/process.hh"

namespace assay::image {
namespace {

constexpr int source_fd = 3;
constexpr int socket_fd = 4;
constexpr int tree_fd = 5;
constexpr int spool_fd = 6;
constexpr int exit_out_of_memory = 3;
constexpr std::chrono::milliseconds told_every{500};

Result<Order> read_order(const sys::Fd& socket) {
    std::string line;
    std::array<std::byte, 1024> part;
    while (!line.ends_with('\n')) {
        ASSAY_TRY(const std::size_t count, sys::read_some(socket, part));
        if (count == 0) return Error{Fault::unreachable, "whoever asked for the import is gone"};
        line += text_of(ByteView{part}.first(count));
        if (line.size() > line_bytes_max) return Error{Fault::too_large, "an order that is too long"};
    }
    return order_from(line);
}

Result<Filled> fill(const sys::Fd& source, const sys::Fd& socket, const sys::Fd& tree, const sys::Fd& spool) {
    ASSAY_CHECK(sys::confine_to_tree(tree, {.file_bytes = bytes_max}));
    ASSAY_TRY(const Order order, read_order(socket));
    sys::TimePoint last{};
    Layers layers{tree, order.bytes_max, [&](const Progress& progress) {
        const sys::TimePoint now = sys::system_clock().now();
        if (now - last < told_every) return;
        last = now;
        if (!sys::write_all(socket, to_line(Told{progress}))) std::_Exit(1);  // Nobody wants it any more.
    }};
    Filled filled;
    ASSAY_TRY(filled.environment, apply_source(source, order.input, spool, layers));
    ASSAY_TRY(filled.left, layers.finish());
    return filled;
}

}  // namespace

int importer_main() {
    sys::ignore_stop_signals();
    std::set_new_handler([] { std::_Exit(exit_out_of_memory); });
    const sys::Fd source{source_fd};
    const sys::Fd socket{socket_fd};
    const sys::Fd tree{tree_fd};
    const sys::Fd spool{spool_fd};
    auto filled = fill(source, socket, tree, spool);
    const Told told = filled ? Told{std::move(filled).value()} : Told{filled.take_error()};
    const auto sent = sys::write_all(socket, to_line(told));
    std::_Exit(sent ? 0 : 1);
}

}  // namespace assay::image
