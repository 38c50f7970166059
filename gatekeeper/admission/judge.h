// The judge (gatekeeper/judge/judge.h) under the names that admission calls it by.
#pragma once

#include "gatekeeper/judge/judge.h"

namespace bootgate::gatekeeper::admission {

using judge::ErrorVerdict;
using judge::Judge;
using judge::Judged;
using judge::JudgeAndKeep;
using judge::JudgeInput;
using judge::WhenBehind;

}  // namespace bootgate::gatekeeper::admission
