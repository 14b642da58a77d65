# oneDNN behind the product door, where it is wanted and there (find_package(dnnl) would ask for the
# headers of OpenCL, which nothing here needs).
if(HEDDLE_ONEDNN STREQUAL "ON" OR (HEDDLE_ONEDNN STREQUAL "AUTO" AND NOT HEDDLE_CORE_ONLY))
  find_library(HEDDLE_ONEDNN_LIBRARY dnnl)
  find_path(HEDDLE_ONEDNN_HEADERS dnnl.h)
  mark_as_advanced(HEDDLE_ONEDNN_LIBRARY HEDDLE_ONEDNN_HEADERS)
  if(HEDDLE_ONEDNN_LIBRARY AND HEDDLE_ONEDNN_HEADERS)
    set_source_files_properties(one_dnn.cpp PROPERTIES
      COMPILE_DEFINITIONS HEDDLE_ONEDNN
      INCLUDE_DIRECTORIES ${HEDDLE_ONEDNN_HEADERS})
    target_link_libraries(heddle_kernels PRIVATE ${HEDDLE_ONEDNN_LIBRARY})
  elseif(HEDDLE_ONEDNN STREQUAL "ON")
    message(FATAL_ERROR
      "HEDDLE_ONEDNN is ON, but dnnl.h or libdnnl is not there: install libdnnl-dev")
  endif()
elseif(NOT HEDDLE_ONEDNN MATCHES "^(AUTO|OFF)$")
  message(FATAL_ERROR "HEDDLE_ONEDNN is ${HEDDLE_ONEDNN}: neither AUTO, ON nor OFF")
endif()
