// The two macros that pass an absl::Status upwards.
//
//   BG_RETURN_IF_ERROR(Check(x));
//   BG_ASSIGN_OR_RETURN(const Public key, Public::FromTpmt(bytes));
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define BG_RETURN_IF_ERROR(expr)             \
  do {                                       \
    absl::Status bg_status_ = (expr);        \
    if (!bg_status_.ok()) return bg_status_; \
  } while (false)

#define BG_CONCAT_INNER_(a, b) a##b
#define BG_CONCAT_(a, b) BG_CONCAT_INNER_(a, b)

#define BG_ASSIGN_OR_RETURN(lhs, expr) \
  BG_ASSIGN_OR_RETURN_IMPL_(BG_CONCAT_(bg_statusor_, __LINE__), lhs, expr)

#define BG_ASSIGN_OR_RETURN_IMPL_(statusor, lhs, expr)     \
  auto statusor = (expr);                                  \
  if (!statusor.ok()) return std::move(statusor).status(); \
  lhs = *std::move(statusor)
