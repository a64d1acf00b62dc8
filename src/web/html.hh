// Html: markup that can only be made of literal element names and escaped text. There is no way to put raw text in.
//
//   el("p", {{"class", "lead"}}, {say(...), el("strong", {}, {name})})
//
// Names are known when compiled; a style, an event handler or a script's text has no name here. Attributes that hold addresses take an
// Address, which always leads to this server. Threading: values.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace assay::web {

consteval void check_name(std::string_view name) {
    if (name.empty()) throw "an empty name";
    for (const char c : name) {
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') throw "names are of a-z, 0-9 and '-'";
    }
}

struct Tag {
    std::string_view name;
    consteval Tag(const char* literal) : name{literal} {
        check_name(name);
        if (name == "script" || name == "style" || name == "iframe" || name == "object") throw "this element is never used";
    }
};

// An attribute that holds an address. All others are a Name.
struct AddressName {
    std::string_view name;
    consteval AddressName(const char* literal) : name{literal} {
        if (name != "href" && name != "action" && name != "src") throw "not an attribute that holds an address";
    }
};

struct Name {
    std::string_view name;
    consteval Name(const char* literal) : name{literal} {
        check_name(name);
        if (name == "href" || name == "action" || name == "src" || name == "formaction") throw "takes an Address";
        if (name == "style" || name.starts_with("on")) throw "this attribute is never used";
    }
};

// A path of this server, with query and fragment; every part is percent-encoded when it is added.
class Address {
public:
    Address() = default;                                        // "/"
    Address& operator/=(std::string_view segment);
    friend Address operator/(Address address, std::string_view segment) { return std::move(address /= segment); }
    Address with(std::string_view name, std::string_view value) const;
    Address at(std::string_view fragment) const;
    static Address inside(std::string_view fragment);           // of the page itself, whatever its query: "#fragment"
    std::string text() const;

private:
    std::string path_;
    std::string query_;
    std::string fragment_;
    bool inside_ = false;
};

class Attribute {
public:
    Attribute(Name name) : name_{name.name} {}                  // without a value: "required"
    Attribute(Name name, std::string_view value);
    Attribute(AddressName name, const Address& value);
    void append_to(std::string& markup) const;

private:
    std::string_view name_;
    std::string value_;                                         // escaped, quoted
};

class Html {
public:
    Html() = default;
    Html(std::string_view text);                                // escaped, and shown (base/shown.hh)
    Html(const char* text) : Html{std::string_view{text}} {}
    Html(const std::string& text) : Html{std::string_view{text}} {}
    Html& operator+=(const Html& other);
    bool empty() const { return markup_.empty(); }
    const std::string& markup() const { return markup_; }

private:
    friend Html el(Tag, std::initializer_list<Attribute>, std::initializer_list<Html>);
    friend Html script(const Address& file);
    std::string markup_;
};

Html el(Tag tag, std::initializer_list<Attribute> attributes = {}, std::initializer_list<Html> children = {});

// A script of this server's, run once the page is there. There is no way to put one into the page itself.
Html script(const Address& file);

}  // namespace assay::web
