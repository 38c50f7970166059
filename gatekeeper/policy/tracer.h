// Writes the trace of an evaluation.
//
// Nothing that a tracer does changes a result: it looks at what the evaluation has made anyway.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "gatekeeper/policy/ast.h"
#include "gatekeeper/policy/compare.h"
#include "gatekeeper/policy/trace.h"

namespace bootgate::gatekeeper::policy {

class Tracer {
 public:
  // Borrows the claims of the evaluation, which only grow and are numbered from 0.
  explicit Tracer(const std::deque<HeldClaim>& claims) : claims_(claims) {}

  void Begin(Section section, const Rule& rule);
  void Tested(const Condition& condition, const Selected& selected, bool holds);
  // The conditions held and the action was done, on claims of these conditions; what it made are
  // the last claims, from number `first_made`.
  void Acted(const Rule& rule, const Bound& bound, size_t first_made);
  void Failed(const std::string& kind);

  std::shared_ptr<const Trace> Finish();

 private:
  void Link(const Selected& claims, std::vector<size_t>* out);

  const std::deque<HeldClaim>& claims_;
  size_t links_ = 0;
  Trace trace_;
};

}  // namespace bootgate::gatekeeper::policy
