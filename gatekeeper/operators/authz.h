// Which role may call what: one table, everything else is denied (attack A69).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::operators {

using RoleSet = uint32_t;
inline constexpr RoleSet kViewer = 1, kOperator = 2, kApprover = 4, kPolicyAuthor = 8,
                         kIncidentTool = 16, kAdmin = 32;
inline constexpr RoleSet kEveryRole = 63;

std::span<const absl::string_view> AllRoleNames();  // "viewer", ..., in the order of the bits
// Names that are none count for nothing.
RoleSet RolesFromNames(const std::vector<std::string>& names);

struct AuthzRow {
  absl::string_view method;  // "bootgate.v1.HostService.ListHosts"
  RoleSet roles;             // each of them may
};
std::span<const AuthzRow> AuthzTable();

// kPermissionDenied ROLE_DENIED names the roles that may.
absl::Status CheckRoles(absl::string_view method, RoleSet roles);
std::vector<std::string> MethodsFor(RoleSet roles);

}  // namespace bootgate::gatekeeper::operators
