// The fields inside an entry's template data.
//
// Implements: Linux Documentation/security/IMA-templates.rst (fields d, n, d-ng, n-ng, sig, buf);
// security/integrity/ima/ima_template_lib.c for their binary form.
#pragma once

#include "common/ima/list.h"

namespace bootgate::ima {

Template TemplateOf(absl::string_view name);

// Fills the fields of `entry` from its template data. False when they are not well-formed: then
// no field is filled. Nothing to do for Template::kOther.
bool ReadFields(Entry& entry);

}  // namespace bootgate::ima
