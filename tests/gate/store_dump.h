// Test only: everything that a store's file holds, as text, to prove that nothing was changed.
#pragma once

#include <string>

namespace bootgate::gate {

// Every row of every table of the SQLite file, in a fixed order. Two equal dumps: nothing was
// written in between. Ends the program when the file cannot be read.
std::string DumpStore(const std::string& path);

}  // namespace bootgate::gate
