// What the rows of the function table run; see functions.h.
#pragma once

#include "absl/types/span.h"
#include "gatekeeper/json/value.h"
#include "gatekeeper/policy/jmespath/evaluator.h"
#include "gatekeeper/policy/jmespath/functions.h"

namespace bootgate::gatekeeper::policy::jmespath {

using Arguments = absl::Span<const Argument>;

// function_numbers.cc
bool RunAbs(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunAvg(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunCeil(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunFloor(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunSum(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunToNumber(Evaluator& evaluator, Arguments arguments, json::Value* out);

// function_texts.cc
bool RunContains(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunEndsWith(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunEqualsIgnoreCase(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunJoin(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunLength(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunReverse(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunStartsWith(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunToString(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunType(Evaluator& evaluator, Arguments arguments, json::Value* out);

// function_lists.cc
bool RunKeys(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunMap(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunMerge(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunNotNull(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunToArray(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunValues(Evaluator& evaluator, Arguments arguments, json::Value* out);

// function_order.cc
bool RunMax(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunMaxBy(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunMin(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunMinBy(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunSort(Evaluator& evaluator, Arguments arguments, json::Value* out);
bool RunSortBy(Evaluator& evaluator, Arguments arguments, json::Value* out);

}  // namespace bootgate::gatekeeper::policy::jmespath
