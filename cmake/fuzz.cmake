# Hostile files: libFuzzer targets, a program for each file of tests/fuzz. See scripts/fuzz.sh.
option(HEDDLE_FUZZ "Build the fuzz targets (clang only)" OFF)
if(HEDDLE_FUZZ)
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
  add_custom_target(heddle_fuzz)
  file(GLOB fuzz_sources CONFIGURE_DEPENDS tests/fuzz/*.cpp)
  foreach(source IN LISTS fuzz_sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(fuzz_${name} ${source})
    target_link_libraries(fuzz_${name} PRIVATE heddle_train)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer ${OpenMP_CXX_FLAGS})
    add_dependencies(heddle_fuzz fuzz_${name})
  endforeach()
endif()
