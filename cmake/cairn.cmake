# What every folder's CMakeLists.txt uses: cairn_library, cairn_program, cairn_test, cairn_fuzz.
include_guard()
include(CTest)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_compile_definitions(_POSIX_C_SOURCE=200809L _DEFAULT_SOURCE CAIRN_VERSION="${PROJECT_VERSION}")

set(CAIRN_SANITIZE "" CACHE STRING "Sanitizers for everything, as for -fsanitize=")
option(CAIRN_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)
option(CAIRN_COVERAGE "Instrument for lcov" OFF)
set(CAIRN_FUZZ_SECONDS 0 CACHE STRING "Seconds per fuzz target under ctest; 0 registers none")
if(CAIRN_SANITIZE)
  add_compile_options(-fsanitize=${CAIRN_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CAIRN_SANITIZE})
endif()
if(CAIRN_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

set(CAIRN_WARNINGS -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes -Wundef -Wvla -Wformat=2 -Wcast-align -Wpointer-arith -Wwrite-strings
    -Wswitch-enum -Wnull-dereference -Wdouble-promotion)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CAIRN_SANITIZE)
  # gcc 12 sees null dereferences in code that the sanitizers themselves insert
  list(REMOVE_ITEM CAIRN_WARNINGS -Wnull-dereference)
endif()

# What tools/build.sh asks for: every program people run, and every libFuzzer target.
add_custom_target(programs)
add_custom_target(fuzz_targets)

# cairn_library(NAME name SOURCES ... DEPS ... [INCLUDES ...])
# Includes by room: "base/x.h", "client/x.h" (sdk/), "log/x.h" (collector/), "edge/x.h" (the root).
function(cairn_library)
  cmake_parse_arguments(arg "" "NAME" "SOURCES;DEPS;INCLUDES" ${ARGN})
  add_library(${arg_NAME} STATIC ${arg_SOURCES})
  target_compile_options(${arg_NAME} PRIVATE $<$<COMPILE_LANGUAGE:C>:${CAIRN_WARNINGS}>)
  target_include_directories(${arg_NAME} PUBLIC ${CMAKE_SOURCE_DIR}/sdk/include
    ${CMAKE_SOURCE_DIR}/sdk ${CMAKE_SOURCE_DIR}/collector ${CMAKE_SOURCE_DIR} ${arg_INCLUDES})
  target_link_libraries(${arg_NAME} PUBLIC ${arg_DEPS})
endfunction()

# cairn_program(NAME name SOURCES ... DEPS ...): the same for an executable.
function(cairn_program)
  cmake_parse_arguments(arg "" "NAME" "SOURCES;DEPS;INCLUDES" ${ARGN})
  add_executable(${arg_NAME} ${arg_SOURCES})
  target_compile_options(${arg_NAME} PRIVATE $<$<COMPILE_LANGUAGE:C>:${CAIRN_WARNINGS}>)
  target_include_directories(${arg_NAME} PRIVATE ${arg_INCLUDES})
  target_link_libraries(${arg_NAME} PRIVATE ${arg_DEPS})
  add_dependencies(programs ${arg_NAME})
endfunction()

set(CAIRN_TEST_ENVIRONMENT "CAIRN_SHARED=${CMAKE_SOURCE_DIR}/../shared"
  "CAIRN_ROOT=${CMAKE_SOURCE_DIR}" "CAIRN_BIN=${CMAKE_BINARY_DIR}/bin")

# cairn_test(NAME room/file SOURCES ... DEPS ... [TIMEOUT seconds] [LABELS ...])
# A cmocka program, run by ctest under that name with CAIRN_SHARED pointing at ../shared.
function(cairn_test)
  cmake_parse_arguments(arg "" "NAME;TIMEOUT" "SOURCES;DEPS;LABELS;ARGS" ${ARGN})
  string(REPLACE "/" "_" target "test_${arg_NAME}")
  add_executable(${target} ${arg_SOURCES})
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:${CAIRN_WARNINGS}>)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${target} PRIVATE ${arg_DEPS} cmocka m)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_test(NAME ${arg_NAME} COMMAND ${target} ${arg_ARGS})
  set_tests_properties(${arg_NAME} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}"
    SKIP_RETURN_CODE 77
    ENVIRONMENT "${CAIRN_TEST_ENVIRONMENT}")
endfunction()

# cairn_fuzz(NAME name SOURCES file_fuzz.c DEPS ...): LLVMFuzzerTestOneInput. With libFuzzer in the
# fuzz preset (run by tools/fuzz.sh); elsewhere ctest runs every file of tests/corpus/NAME once, and
# with CAIRN_FUZZ_SECONDS the fuzz preset's program that long.
function(cairn_fuzz)
  cmake_parse_arguments(arg "" "NAME" "SOURCES;DEPS" ${ARGN})
  if(CAIRN_FUZZ)
    add_executable(fuzz_${arg_NAME} ${arg_SOURCES})
    target_link_options(fuzz_${arg_NAME} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(fuzz_${arg_NAME} PRIVATE ${arg_DEPS})
    add_dependencies(fuzz_targets fuzz_${arg_NAME})
  else()
    add_executable(corpus_${arg_NAME} ${arg_SOURCES}
      ${CMAKE_SOURCE_DIR}/tests/support/corpus_main.c)
    target_link_libraries(corpus_${arg_NAME} PRIVATE ${arg_DEPS})
    add_test(NAME corpus/${arg_NAME}
      COMMAND corpus_${arg_NAME} ${CMAKE_SOURCE_DIR}/tests/corpus/${arg_NAME})
    if(CAIRN_FUZZ_SECONDS GREATER 0)
      add_test(NAME fuzz/${arg_NAME}
        COMMAND ${CMAKE_SOURCE_DIR}/tools/fuzz.sh ${CAIRN_FUZZ_SECONDS} ${arg_NAME})
      math(EXPR timeout "${CAIRN_FUZZ_SECONDS} * 2 + 120")
      set_tests_properties(fuzz/${arg_NAME} PROPERTIES TIMEOUT ${timeout} LABELS fuzz)
    endif()
  endif()
endfunction()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(CAIRN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
