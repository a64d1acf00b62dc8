// Assets: the files under /static, inside the program. A name holds the content's digest, so a browser may keep a file for ever.
#pragma once

#include <string>
#include <string_view>

namespace assay::web {

struct Asset {
    std::string name;          // "style.3f9a1c….css"
    std::string_view type;     // media type
    std::string_view content;
};

const Asset& style();
const Asset& icon();
const Asset& page_script();  // of a participant's page
// nullptr: no such file.
const Asset* asset(std::string_view name);

}  // namespace assay::web
