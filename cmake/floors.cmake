# What the CMakeLists.txt of the folders use: flags of every target, and one function a floor.

add_library(heddle_options INTERFACE)
target_compile_features(heddle_options INTERFACE cxx_std_20)
target_compile_options(heddle_options INTERFACE
  $<BUILD_INTERFACE:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow>
  $<BUILD_INTERFACE:$<$<BOOL:${HEDDLE_WERROR}>:-Werror>>
  -fno-math-errno
  -fno-trapping-math
  $<IF:$<BOOL:${HEDDLE_NATIVE}>,-march=native,-march=x86-64-v3>)
target_include_directories(heddle_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/heddle>)
if(HEDDLE_SANITIZE)
  target_compile_options(heddle_options INTERFACE
    -fsanitize=${HEDDLE_SANITIZE}
    -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(heddle_options INTERFACE -fsanitize=${HEDDLE_SANITIZE})
endif()

# heddle_library(NAME SOURCES FILE... LINKS LIBRARY...): one floor, installed as heddle::NAME.
function(heddle_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(heddle_${name} STATIC ${ARG_SOURCES})
  add_library(heddle::${name} ALIAS heddle_${name})
  set_target_properties(heddle_${name} PROPERTIES EXPORT_NAME ${name} UNITY_BUILD ${HEDDLE_UNITY})
  target_link_libraries(heddle_${name} PUBLIC heddle_options ${ARG_LINKS})
  if(HEDDLE_FUZZ)
    heddle_count_coverage(heddle_${name})
  endif()
  install(TARGETS heddle_${name} EXPORT heddle)
endfunction()

# heddle_uses(NAME LIBRARY...): headers that the floor NAME is compiled with; its users need none of them.
function(heddle_uses name)
  foreach(library IN LISTS ARGN)
    target_link_libraries(heddle_${name} PRIVATE $<BUILD_INTERFACE:${library}>)
  endforeach()
endfunction()

# heddle_optimise(TARGET AMOUNT): the default, -O3, is for the floors that compute.
#   MODERATELY   -O2: loops over text, sums; rounds as -O3 does
#   LITTLE       -O1: takes longer to compile than it ever runs
#   NONE         -O0: calls what was optimised elsewhere; in a Debug build, too
function(heddle_optimise target amount)
  set(MODERATELY $<$<CONFIG:Release>:-O2>)
  set(LITTLE $<$<CONFIG:Release>:-O1>)
  set(NONE -O0)
  target_compile_options(${target} PRIVATE ${${amount}})
endfunction()
