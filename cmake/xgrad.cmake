# What the targets have in common.
include(GNUInstallDirs)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE ccache)
if(CCACHE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

if(XGRAD_SANITIZE)
  add_compile_options(-fsanitize=${XGRAD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${XGRAD_SANITIZE})
endif()

# In the tree and after install the include is the same: <xgrad/ops/activation.hpp>.
set(XGRAD_INCLUDE ${PROJECT_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${XGRAD_INCLUDE})
file(CREATE_LINK ${PROJECT_SOURCE_DIR} ${XGRAD_INCLUDE}/xgrad SYMBOLIC)

function(xgrad_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  # GCC 12 reports -Wrestrict for std::string's own operator+ (its bug 105651).
  target_compile_options(${target} PRIVATE -Wall -Wextra $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  if(XGRAD_SANITIZE)
    # The sanitizers' own instrumentation makes GCC 12 guess wrongly here.
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    # Red zones around every vector on a kernel's stack take minutes to compile; the heap, where tensors live, keeps its
    # own, between pooled blocks, too.
    target_compile_options(${target} PRIVATE "SHELL:--param asan-stack=0")
  endif()
  if(XGRAD_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# xgrad_library(name [DEPENDS folder]): the sources of one folder as xgrad::name.
function(xgrad_library name)
  cmake_parse_arguments(ARG "" "DEPENDS" "" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${name}/*.cpp)
  set(target xgrad_${name})
  add_library(${target} ${sources})
  add_library(xgrad::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  xgrad_options(${target})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${XGRAD_INCLUDE}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  if(ARG_DEPENDS)
    target_link_libraries(${target} PUBLIC xgrad_${ARG_DEPENDS})
  endif()
endfunction()

# xgrad_small(folder name...): sources whose work is done in others' kernels. Inlining would make them three times as
# large, and no faster.
function(xgrad_small folder)
  list(TRANSFORM ARGN REPLACE "(.+)" "${folder}/\\1.cpp")
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:-Os>)
endfunction()

# xgrad_program(target source...): a program over the whole library.
function(xgrad_program target)
  add_executable(${target} ${ARGN})
  xgrad_options(${target})
  target_link_libraries(${target} PRIVATE xgrad::xgrad)
endfunction()
