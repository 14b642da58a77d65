# The test suite and the benchmarks.
include(CTest)
if(BUILD_TESTING)
  find_package(doctest 2.4 REQUIRED)
  file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS tests/*.cpp)
  list(FILTER test_sources EXCLUDE REGEX "tests/(fuzz|install)/")
  if(HEDDLE_CORE_ONLY)
    list(FILTER test_sources EXCLUDE REGEX "tests/(cli|data|decode|train)/")
  endif()
  add_executable(heddle_tests ${test_sources})
  target_link_libraries(heddle_tests PRIVATE heddle_layers heddle_optim heddle_toy doctest::doctest)
  target_compile_definitions(heddle_tests PRIVATE HEDDLE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(heddle_tests PRIVATE -O1)  # what is fast is in the libraries
  endif()
  if(NOT HEDDLE_CORE_ONLY)
    target_link_libraries(heddle_tests PRIVATE heddle_cli ZLIB::ZLIB)
    target_compile_definitions(heddle_tests PRIVATE HEDDLE_BINARY="$<TARGET_FILE:heddle>")
    add_dependencies(heddle_tests heddle)
  endif()
  add_test(NAME heddle_tests COMMAND heddle_tests)
endif()

if(NOT HEDDLE_CORE_ONLY)
  find_package(benchmark REQUIRED)
  file(GLOB op_cases CONFIGURE_DEPENDS tests/support/*_cases.cpp)  # the tests' table
  add_executable(heddle_benchmarks ${op_cases} benchmarks/attention_pairs.cpp benchmarks/main.cpp
    benchmarks/matrix_pairs.cpp benchmarks/op_pairs.cpp benchmarks/pointwise_pairs.cpp
    benchmarks/report.cpp benchmarks/row_pairs.cpp)
  target_link_libraries(heddle_benchmarks PRIVATE heddle_ops benchmark::benchmark)
endif()
