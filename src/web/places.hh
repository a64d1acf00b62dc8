// Places: whose page an address is, and what the page of that place needs to know. Reads the store, so it runs on pool threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hh"
#include "store/keys.hh"
#include "store/store.hh"
#include "web/pages.hh"

namespace assay::web {

struct Place {
    store::Course course;
    store::Module module;
    store::Participant participant;
};
// Of captures {course}/{module}/{key}. nullopt: no such page, for whichever reason.
Result<std::optional<Place>> find_place(store::Reading&, const store::Keys&, const std::vector<std::string>& captures);

Address address_of(const CourseId&, const ModuleId&, std::string_view key);
// The modules of a course that are shown, as links for the holder of `key`.
Result<std::vector<ModuleLink>> links_of(store::Reading&, const store::Course&, std::string_view key, const ModuleId& current = {});

Language language_of(std::string_view tag);
// ?lang= first, then Accept-Language, then `fallback`.
Look look_of(const http::Request&, Address here, Language fallback = Language::english);

}  // namespace assay::web
