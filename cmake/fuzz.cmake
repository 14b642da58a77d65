# What every floor is compiled with for the fuzz targets (tests/fuzz).
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "HEDDLE_FUZZ is ON, but ${CMAKE_CXX_COMPILER_ID} has no libFuzzer: "
    "take clang++, as `cmake --preset fuzz` does")
endif()
if(HEDDLE_CORE_ONLY)
  message(FATAL_ERROR "HEDDLE_FUZZ needs all floors: leave HEDDLE_CORE_ONLY off")
endif()
# The preset gives clang GCC's OpenMP (-fopenmp=libgomp): clang links it, for OpenBLAS and for what
# asks about threads, but leaves all pragmas out. So everything runs in one thread, as a fuzzer
# needs it, and there is one OpenMP runtime in the process.
#
# Every floor counts what is covered; a conversion of a number that does not fit is damage, too.
target_compile_options(heddle_options INTERFACE
  -fsanitize=fuzzer-no-link,float-cast-overflow -fno-sanitize-recover=all)
