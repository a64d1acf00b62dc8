// Who asks for an import: gives the confined process what it needs, waits for it, looks at what it made, and keeps that.
#include <array>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "image/folder_tar.hh"
#include "image/image.hh"
#include "image/keeping.hh"
#include "image/limits.hh"
#include "image/wire.hh"
#include "model/image.hh"
#include "sys/child.hh"
#include "sys/clock.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/socket.hh"

namespace assay::image {
namespace {

using namespace std::chrono_literals;

constexpr auto silence_max = 5min;  // without a word of progress: it hangs, or the disk does
constexpr auto end_max = 10s;

// Writes a folder into a pipe while the other side is read.
class Writer {
public:
    Writer(const sys::Fd& folder, sys::Fd pipe) : thread_{[this, &folder, out = std::move(pipe)] { done_ = write_folder_tar(folder, out); }} {}
    ~Writer() { if (thread_.joinable()) thread_.join(); }
    Writer(const Writer&) = delete;
    // After the reader has ended: how it went.
    Result<> join() {
        thread_.join();
        return done_;
    }

private:
    Result<> done_;
    std::thread thread_;
};

// The lines that the process says, to the last.
Result<Filled> listen(const sys::Fd& socket, const std::function<void(const Progress&)>& told) {
    std::string text;
    std::array<std::byte, 16 * 1024> part;
    std::optional<Filled> filled;
    for (;;) {
        ASSAY_TRY(const bool there, sys::wait_readable(socket, sys::system_clock().now() + silence_max));
        if (!there) return Error{Fault::timed_out, "the import does not get on; is the disk well?"};
        auto count = sys::read_some(socket, part);
        if (!count && count.error().fault() != Fault::unreachable) return count.take_error();
        if (!count || *count == 0) break;
        text += text_of(ByteView{part}.first(*count));
        for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
            ASSAY_TRY(Told line, told_from(std::string_view{text}.substr(0, end)));
            text.erase(0, end + 1);
            if (auto* const error = std::get_if<Error>(&line)) return std::move(*error);
            if (auto* const progress = std::get_if<Progress>(&line)) told(*progress);
            if (auto* const all = std::get_if<Filled>(&line)) filled = std::move(*all);
        }
        if (text.size() > line_bytes_max) return Error{Fault::internal, "the import says too much"};
    }
    if (filled) return std::move(*filled);
    return Error{Fault::internal, "the import ended without a word"};
}

std::string how_it_ended(const sys::Exit& exit) {
    if (exit.signalled) return fmt::format("reading the image was ended by signal {}", exit.code);
    constexpr int out_of_memory = 3;
    if (exit.code == out_of_memory) return "reading the image takes more memory than is allowed";
    return fmt::format("reading the image ended with {}", exit.code);
}

// Whether a folder is an image in files, and not a file system.
bool is_layout(const std::string& path) {
    const auto file = [&](const char* name) {
        const auto info = sys::info_of_path(path + "/" + name);
        return info && info->kind == sys::FileInfo::Kind::regular;
    };
    return (file("oci-layout") && file("index.json")) || file("manifest.json");
}

Result<Filled> fill(const Source& source, const std::string& root, const std::string& beside, std::int64_t room_bytes, const std::function<void(const Progress&)>& told) {
    ASSAY_TRY(const sys::Fd tree, sys::open_directory(root));
    ASSAY_TRY(const sys::Fd spool, sys::anonymous_file(beside));
    ASSAY_TRY(auto pair, sys::socket_pair(sys::PairKind::stream));
    auto [ours, theirs] = std::move(pair);
    std::pair<sys::Fd, sys::Fd> pipe;
    if (source.folder) { ASSAY_TRY(pipe, sys::make_pipe()); }
    sys::ChildSpec spec;
    spec.arguments = {"importer"};
    spec.descriptors = {-1, -1, 2, source.folder ? pipe.first.get() : source.file.get(), theirs.get(), tree.get(), spool.get()};
    ASSAY_TRY(sys::Child child, sys::Child::start(spec));
    theirs.reset();
    pipe.first.reset();
    const Input input = !source.folder ? Input::file : is_layout(source.path) ? Input::pipe_of_layout : Input::pipe_of_tree;
    ASSAY_CHECK(sys::write_all(ours, to_line(Order{.input = input, .bytes_max = std::min(room_bytes, bytes_max)})));

    std::optional<Writer> writer;
    if (source.folder) writer.emplace(source.file, std::move(pipe.second));
    auto filled = listen(ours, told);
    if (!filled) child.kill(9);  // So that whoever still writes to it hears of it.
    const std::optional<sys::Exit> exit = child.wait_until(sys::system_clock().now() + end_max);
    if (!exit) child = {};
    if (writer) {
        // Why the folder could not be read is the better answer than that the tar ended early.
        if (auto written = writer->join(); !written && written.error().fault() != Fault::unreachable) return written.take_error();
    }
    if (!filled && filled.error().fault() == Fault::internal && exit) return Error{Fault::invalid, how_it_ended(*exit)};
    return filled;
}

}  // namespace

Result<Source> open_source(const std::string& path) {
    Source source{.path = path, .file = {}, .folder = false};
    ASSAY_TRY(source.file, sys::open_read(path));
    ASSAY_TRY(const sys::FileInfo info, sys::info_of(source.file));
    source.folder = info.kind == sys::FileInfo::Kind::directory;
    if (!source.folder && info.kind != sys::FileInfo::Kind::regular) return Error{Fault::invalid, escaped(path) + " is neither a file nor a folder"};
    return source;
}

Result<Imported> import_image(const std::string& directory, const std::string& name, Source source, std::int64_t room_bytes,
                              const std::function<void(const Progress&)>& told) {
    if (!model::valid_image_name(name)) {
        return Error{Fault::invalid, fmt::format("'{}' is no name for an image: 1 to 64 letters, digits and ._:- that begin with a letter or digit, and not \"host\"", escaped(name, 80))};
    }
    ASSAY_TRY(const sys::FileInfo place, sys::info_of_path(directory));
    ASSAY_TRY(Unfinished unfinished, Unfinished::begin(directory, place.owner));
    auto filled = fill(source, unfinished.root(), directory, room_bytes, told);
    if (!filled) return filled.take_error();

    // What follows needs no rights but those of the folder's owner.
    if (sys::effective_uid() == 0) ASSAY_CHECK(sys::become(place.owner, place.owner));
    ASSAY_TRY(const sys::Fd root, sys::open_directory(unfinished.root()));
    ASSAY_TRY(Info info, info_of_tree(root, std::move(filled->environment)));
    info.left = std::move(filled->left);
    ASSAY_CHECK(sys::write_file_durably(unfinished.path() + "/image.json", to_json(info)));
    ASSAY_CHECK(sys::sync_file_system(root));

    Named named{.name = name, .from = source.path, .imported_ms = sys::to_ms(sys::system_clock().wall()), .info = std::move(info)};
    ASSAY_TRY(const bool fresh, std::move(unfinished).keep(named));
    return Imported{.image = std::move(named), .fresh = fresh};
}

}  // namespace assay::image
