# Flags every target of ours shares. Outside packages are SYSTEM and silent.
add_library(bootgate_flags INTERFACE)
target_compile_options(bootgate_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Werror
  -Wno-missing-field-initializers)  # g++ alone warns on designated initialisers with defaults

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 guesses these from the flow after inlining, wrongly for std::string and std::variant, pages
  # of them. clang and the sanitizers look for the same faults.
  target_compile_options(bootgate_flags INTERFACE
    -Wno-maybe-uninitialized -Wno-uninitialized -Wno-array-bounds -Wno-stringop-overflow
    -Wno-stringop-overread -Wno-restrict -Wno-free-nonheap-object -Wno-dangling-pointer
    -Wno-use-after-free)
endif()

target_include_directories(bootgate_flags INTERFACE ${CMAKE_SOURCE_DIR})

if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  # Hardening for what users run; a call through a clobbered pointer must not go far.
  add_compile_options(-fstack-protector-strong -D_FORTIFY_SOURCE=2 -fcf-protection=full)
  add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,--as-needed)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  add_link_options(-pie)
endif()

if(BOOTGATE_SANITIZE)
  add_compile_options(-fsanitize=${BOOTGATE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${BOOTGATE_SANITIZE})
  if(BOOTGATE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

# ccache when present. Paths are made relative, so that two build folders share.
find_program(BOOTGATE_CCACHE ccache)
if(BOOTGATE_CCACHE)
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${BOOTGATE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
