# One folder = one library = one target = one namespace.
#
#   bootgate_library(common/bytes
#     SRCS reader.cc writer.cc
#     DEPS what our headers include        PRIVATE_DEPS what only our .cc files need
#     TESTS reader_test.cc                 TEST_DEPS what only the tests need
#     TEST_LABELS swtpm)                   ctest labels beside "unit"
#
# gives the target bootgate::common::bytes and the test program common_bytes_test.
function(bootgate_library folder)
  cmake_parse_arguments(ARG "TEST_ONLY" "" "SRCS;DEPS;PRIVATE_DEPS;TESTS;TEST_DEPS;TEST_LABELS" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  string(REPLACE "/" "::" alias ${folder})
  if(ARG_TEST_ONLY AND NOT BOOTGATE_TESTS)
    return()
  endif()
  if(ARG_SRCS)
    add_library(${name} STATIC ${ARG_SRCS})
    target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE bootgate_flags ${ARG_PRIVATE_DEPS})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR})
  endif()
  add_library(bootgate::${alias} ALIAS ${name})
  if(ARG_TESTS AND BOOTGATE_TESTS)
    bootgate_test(${name}_test SRCS ${ARG_TESTS}
      DEPS bootgate::${alias} ${ARG_PRIVATE_DEPS} ${ARG_TEST_DEPS} LABELS unit ${ARG_TEST_LABELS})
  endif()
endfunction()

# A GoogleTest program, run by ctest as one test.
function(bootgate_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SRCS;DEPS;LABELS" ${ARGN})
  if(NOT BOOTGATE_TESTS)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 1200)
  endif()
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE bootgate_flags ${ARG_DEPS} bootgate::common::testing GTest::gmock_main)
  if("e2e" IN_LIST ARG_LABELS)
    add_dependencies(e2e ${name})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "TSS2_LOG=all+NONE;ASAN_OPTIONS=detect_stack_use_after_return=1;UBSAN_OPTIONS=print_stacktrace=1")
endfunction()

# Everything that the end-to-end tests need: `cmake --build --preset release --target e2e`.
add_custom_target(e2e)

# A program that users run.
function(bootgate_program name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE bootgate_flags ${ARG_DEPS})
  add_dependencies(e2e ${name})
endfunction()

# A libFuzzer target; runs under ctest for a fixed number of executions.
function(bootgate_fuzz name)
  cmake_parse_arguments(ARG "" "RUNS;SEEDS" "SRCS;DEPS" ${ARGN})
  if(NOT BOOTGATE_FUZZ)
    return()
  endif()
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE bootgate_flags ${ARG_DEPS})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  if(NOT ARG_RUNS)
    set(ARG_RUNS 20000)
  endif()
  add_test(NAME ${name} COMMAND ${name} -runs=${ARG_RUNS} -max_len=65536 -rss_limit_mb=2048 ${ARG_SEEDS})
  set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 1200)
endfunction()
