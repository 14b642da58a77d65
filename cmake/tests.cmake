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
  heddle_hardly_optimise(heddle_tests)
  # But for plain loops and differences. Of functions in headers the linker takes these, too.
  file(GLOB_RECURSE loops tests/autograd/*.cpp tests/layers/*.cpp tests/optim/*.cpp tests/support/*.cpp)
  set_source_files_properties(${loops} PROPERTIES COMPILE_OPTIONS -O1)
  if(NOT HEDDLE_CORE_ONLY)
    target_link_libraries(heddle_tests PRIVATE heddle_cli ZLIB::ZLIB)
    add_dependencies(heddle_tests heddle)
  endif()
  set_source_files_properties(tests/support/places.cpp PROPERTIES COMPILE_DEFINITIONS
    "HEDDLE_SOURCE_DIR=\"${CMAKE_SOURCE_DIR}\";HEDDLE_BINARY=\"$<$<TARGET_EXISTS:heddle>:${CMAKE_BINARY_DIR}/heddle>\"")
  # Two halves, which ctest runs side by side.
  set(core "*/tests/autograd/*,*/tests/layers/*,*/tests/optim/*")
  add_test(NAME core COMMAND heddle_tests --source-file=${core})
  add_test(NAME others COMMAND heddle_tests --source-file-exclude=${core})
endif()

if(NOT HEDDLE_CORE_ONLY)
  find_package(benchmark REQUIRED)
  file(GLOB op_cases CONFIGURE_DEPENDS tests/support/*_cases.cpp)  # the tests' table
  add_executable(heddle_benchmarks ${op_cases} benchmarks/attention_pairs.cpp benchmarks/main.cpp
    benchmarks/matrix_pairs.cpp benchmarks/op_pairs.cpp benchmarks/pointwise_pairs.cpp
    benchmarks/report.cpp benchmarks/row_pairs.cpp)
  target_link_libraries(heddle_benchmarks PRIVATE heddle_ops benchmark::benchmark)
endif()
