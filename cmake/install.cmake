# Headers, libraries and the package `heddle` with its targets heddle::base to heddle::train.
include(CMakePackageConfigHelpers)
set(folders autograd configs layers optim)
if(NOT HEDDLE_CORE_ONLY)
  list(APPEND folders data decode train)
  set(data_needs "find_dependency(ZLIB)
pkg_check_modules(sentencepiece REQUIRED IMPORTED_TARGET sentencepiece)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)\n")
endif()
install(DIRECTORY ${folders} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/heddle
  FILES_MATCHING PATTERN "*.h")
set_target_properties(heddle_options PROPERTIES EXPORT_NAME options)
install(TARGETS heddle_options EXPORT heddle)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/heddle)
install(EXPORT heddle NAMESPACE heddle:: DESTINATION ${package_dir} FILE heddle-targets.cmake)
file(WRITE ${CMAKE_BINARY_DIR}/heddle-config.cmake "include(CMakeFindDependencyMacro)
find_dependency(OpenMP)
find_dependency(PkgConfig)
pkg_check_modules(openblas REQUIRED IMPORTED_TARGET openblas)
${data_needs}include(\${CMAKE_CURRENT_LIST_DIR}/heddle-targets.cmake)\n")
write_basic_package_version_file(${CMAKE_BINARY_DIR}/heddle-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/heddle-config.cmake ${CMAKE_BINARY_DIR}/heddle-config-version.cmake
  DESTINATION ${package_dir})
