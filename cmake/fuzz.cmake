# What the floors are compiled with for the fuzz targets (tests/fuzz).
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "HEDDLE_FUZZ is ON, but ${CMAKE_CXX_COMPILER_ID} has no libFuzzer: "
    "take clang++, as `cmake --preset asan` does")
endif()
if(HEDDLE_CORE_ONLY)
  message(FATAL_ERROR "HEDDLE_FUZZ needs all floors: leave HEDDLE_CORE_ONLY off")
endif()
# Every floor counts what is covered (the tests do not); a conversion of a number that does not fit is
# damage, too.
function(heddle_count_coverage target)
  target_compile_options(${target} PRIVATE
    -fsanitize=fuzzer-no-link,float-cast-overflow
    -fno-sanitize-recover=all)
endfunction()
