#include "web/html.hh"

#include <algorithm>
#include <array>

#include "base/assert.hh"
#include "base/shown.hh"
#include "http/message.hh"

namespace assay::web {

namespace {

constexpr std::array<std::string_view, 6> void_elements{"br", "hr", "img", "input", "link", "meta"};

void append_escaped(std::string& out, std::string_view text) {
    for (const char c : shown(text)) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
}

}  // namespace

Address& Address::operator/=(std::string_view segment) {
    path_ += '/';
    path_ += http::percent_encoded(segment);
    return *this;
}

Address Address::with(std::string_view name, std::string_view value) const {
    Address changed = *this;
    changed.query_ += changed.query_.empty() ? '?' : '&';
    changed.query_ += http::percent_encoded(name) + '=' + http::percent_encoded(value);
    return changed;
}

Address Address::at(std::string_view fragment) const {
    Address changed = *this;
    changed.fragment_ = '#' + http::percent_encoded(fragment);
    return changed;
}

Address Address::inside(std::string_view fragment) {
    Address made = Address{}.at(fragment);
    made.inside_ = true;
    return made;
}

std::string Address::text() const {
    if (inside_) return fragment_;
    return (path_.empty() ? "/" : path_) + query_ + fragment_;
}

Attribute::Attribute(Name name, std::string_view value) : name_{name.name}, value_{"\""} {
    append_escaped(value_, value);
    value_ += '"';
}

Attribute::Attribute(AddressName name, const Address& value) : name_{name.name}, value_{"\""} {
    append_escaped(value_, value.text());
    value_ += '"';
}

void Attribute::append_to(std::string& markup) const {
    markup += ' ';
    markup += name_;
    if (value_.empty()) return;
    markup += '=';
    markup += value_;
}

Html::Html(std::string_view text) { append_escaped(markup_, text); }

Html& Html::operator+=(const Html& other) {
    markup_ += other.markup_;
    return *this;
}

Html el(Tag tag, std::initializer_list<Attribute> attributes, std::initializer_list<Html> children) {
    Html made;
    std::string& out = made.markup_;
    std::size_t size = 64;
    for (const Html& child : children) size += child.markup_.size();
    out.reserve(size);
    out += '<';
    out += tag.name;
    for (const Attribute& attribute : attributes) attribute.append_to(out);
    out += '>';
    if (std::ranges::find(void_elements, tag.name) != void_elements.end()) {
        ASSAY_ASSERT(children.size() == 0);
        return made;
    }
    if (tag.name == "pre") out += '\n';  // A parser drops the first newline of a pre; let it be ours.
    for (const Html& child : children) out += child.markup_;
    out += "</";
    out += tag.name;
    out += '>';
    return made;
}

Html script(const Address& file) {
    Html made;
    made.markup_ = "<script defer";
    Attribute{"src", file}.append_to(made.markup_);
    made.markup_ += "></script>";
    return made;
}

}  // namespace assay::web
