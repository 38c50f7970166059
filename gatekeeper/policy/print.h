// A compiled policy back as policy text: one form, however it was written.
//
// Implements: policy language specification, section 2.4. The text reads as the same program
// (SameProgram), where it is not longer than kMaxTextBytes. Comments and oddities of spelling are
// gone; of the warnings only W006 (an unknown setting) is left.
#pragma once

#include <string>

#include "gatekeeper/policy/ast.h"

namespace bootgate::gatekeeper::policy {

std::string Print(const Program& program);

// One rule on one line, for people who are told about it. No line feed.
std::string Print(const Rule& rule);

// The same rules in the same sections, wherever they stood in their texts.
bool SameProgram(const Program& a, const Program& b);

}  // namespace bootgate::gatekeeper::policy
