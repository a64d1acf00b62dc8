#include "course/identity.hh"

#include "course/course.hh"

namespace assay::course {

Result<std::vector<store::Participant>> who(store::Reading& reading, const store::Keys& keys, std::string_view token) {
    const std::string normal = normal_token(trimmed(token));
    if (normal.empty() || normal.size() > secret_bytes_max) return std::vector<store::Participant>{};
    return reading.participants_by_token(keys.hash("token", normal));
}

Result<std::optional<store::Participant>> who_by_key(store::Reading& reading, const store::Keys& keys, const CourseId& course,
                                                     std::string_view key) {
    if (key.empty() || key.size() > secret_bytes_max) return std::optional<store::Participant>{};
    return reading.participant_by_key(course, keys.hash("key", key));
}

}  // namespace assay::course
