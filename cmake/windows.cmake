# The participants' client for Windows: the same rooms, with src/ROOM/windows/ where a system is asked, and one static .exe.
#
# Configured by the preset `windows`, which tools/windows-libraries comes before. Header-only libraries are the machine's own, seen
# through a folder that shows nothing else of it.
enable_language(C)
# Debian's plain `llvm-ar` is of another version and cannot read what this compiler makes for -flto; lld makes archives as well.
foreach(language C CXX)
  set(CMAKE_${language}_ARCHIVE_CREATE "lld-link-19 /lib /out:<TARGET> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_APPEND "")
  set(CMAKE_${language}_ARCHIVE_FINISH "")
endforeach()
set(CMAKE_OPTIMIZE_DEPENDENCIES ON)  # Nothing here makes a header.
set(fetched ${CMAKE_SOURCE_DIR}/build/windows-libraries)
set(headers ${CMAKE_BINARY_DIR}/header-only)
file(MAKE_DIRECTORY ${headers})
foreach(name fmt nlohmann toml++ CLI)
  file(CREATE_LINK /usr/include/${name} ${headers}/${name} SYMBOLIC)
endforeach()

target_include_directories(assay_options SYSTEM INTERFACE ${headers})
target_compile_definitions(assay_options INTERFACE FMT_HEADER_ONLY UNICODE _UNICODE NOMINMAX WIN32_LEAN_AND_MEAN
  _WIN32_WINNT=0x0A00)  # Windows 10
target_compile_options(assay_options INTERFACE -ffunction-sections -fdata-sections)
# One function, type_info's comparison, is in libstdc++ and, in a library of another language version, in ours as well.
target_link_options(assay_options INTERFACE -Wl,--gc-sections -Wl,--icf=all -Wl,--allow-multiple-definition)

# Debian's sources, built as their own makefiles would. Nobody judges them here.
function(foreign_library name folder)
  add_library(${name} STATIC ${ARGN})
  target_include_directories(${name} SYSTEM INTERFACE ${fetched}/${folder})
  target_compile_options(${name} PRIVATE -w -ffunction-sections -fdata-sections)
endfunction()

file(GLOB sources ${fetched}/libdeflate-1.14/lib/*.c ${fetched}/libdeflate-1.14/lib/x86/*.c)
foreign_library(deflate libdeflate-1.14 ${sources})
target_include_directories(deflate PRIVATE ${fetched}/libdeflate-1.14)

foreach(name blocksort huffman crctable randtable compress decompress bzlib)
  list(APPEND bzip2_sources ${fetched}/bzip2-1.0.8/${name}.c)
endforeach()
foreign_library(bzip2 bzip2-1.0.8 ${bzip2_sources})

file(GLOB sources ${fetched}/zstd-1.5.4+dfsg2/lib/common/*.c ${fetched}/zstd-1.5.4+dfsg2/lib/compress/*.c ${fetched}/zstd-1.5.4+dfsg2/lib/decompress/*.c)
list(FILTER sources EXCLUDE REGEX "/zstd_(fast|lazy|opt)\\.c$")
foreign_library(zstd zstd-1.5.4+dfsg2/lib ${sources} ${CMAKE_CURRENT_LIST_DIR}/windows-zstd.c)
target_include_directories(zstd PRIVATE ${fetched}/zstd-1.5.4+dfsg2/lib)
target_compile_definitions(zstd PRIVATE ZSTD_DISABLE_ASM ZSTD_LEGACY_SUPPORT=0 DYNAMIC_BMI2=0 ZSTD_NO_INLINE)

set(xz ${fetched}/xz-5.4.1/src)
file(GLOB sources ${xz}/common/tuklib_physmem.c ${xz}/common/tuklib_cpucores.c ${xz}/liblzma/common/*.c ${xz}/liblzma/delta/*.c ${xz}/liblzma/lz/*.c
  ${xz}/liblzma/lzma/*.c ${xz}/liblzma/rangecoder/*.c ${xz}/liblzma/simple/*.c ${xz}/liblzma/check/*.c)
list(FILTER sources EXCLUDE REGEX "(_tablegen|_small|fastpos_tablegen|price_tablegen|stream_encoder_mt|stream_decoder_mt|hardware_.*|outqueue)\\.c$")
foreach(name hardware_physmem hardware_cputhreads)
  list(APPEND sources ${xz}/liblzma/common/${name}.c)
endforeach()
foreign_library(lzma xz-5.4.1/src/liblzma/api ${sources})
target_include_directories(lzma PRIVATE ${xz}/common ${xz}/liblzma/api ${xz}/liblzma/common ${xz}/liblzma/check ${xz}/liblzma/lz ${xz}/liblzma/rangecoder
  ${xz}/liblzma/lzma ${xz}/liblzma/delta ${xz}/liblzma/simple)
set(coders LZMA1 LZMA2 DELTA X86 ARM ARMTHUMB ARM64 POWERPC IA64 SPARC)
list(TRANSFORM coders PREPEND HAVE_ENCODER_ OUTPUT_VARIABLE encoders)
list(TRANSFORM coders PREPEND HAVE_DECODER_ OUTPUT_VARIABLE decoders)
target_compile_definitions(lzma PRIVATE ${encoders} ${decoders} HAVE_ENCODERS HAVE_DECODERS HAVE_STDBOOL_H HAVE_STDINT_H HAVE_INTTYPES_H HAVE__BOOL HAVE_VISIBILITY=0 SIZEOF_SIZE_T=8
  HAVE_CHECK_CRC32 HAVE_CHECK_CRC64 HAVE_CHECK_SHA256 HAVE_MF_HC3 HAVE_MF_HC4 HAVE_MF_BT2 HAVE_MF_BT3 HAVE_MF_BT4 HAVE_LZIP_DECODER
  TUKLIB_SYMBOL_PREFIX=lzma_ PACKAGE_NAME="XZ" PACKAGE_BUGREPORT="" PACKAGE_URL="")
target_compile_definitions(lzma INTERFACE LZMA_API_STATIC)

set(sodium ${fetched}/libsodium-1.0.18)
configure_file(${sodium}/builds/msvc/version.h ${CMAKE_BINARY_DIR}/sodium/sodium/version.h COPYONLY)
file(GLOB_RECURSE sources ${sodium}/src/libsodium/*.c)
foreign_library(sodium libsodium-1.0.18/src/libsodium/include ${sources})
target_include_directories(sodium SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/sodium ${sodium}/src/libsodium/include/sodium PRIVATE ${sodium}/src/libsodium/include/sodium ${CMAKE_BINARY_DIR}/sodium
  ${CMAKE_BINARY_DIR}/sodium/sodium)
target_compile_definitions(sodium INTERFACE SODIUM_STATIC PRIVATE SODIUM_STATIC CONFIGURED=1)

set(ZLIB_LIBRARY /usr/x86_64-w64-mingw32/lib/libz.a)  # No DLL goes with it.
find_package(ZLIB REQUIRED)

set(libraries_base)
set(libraries_sys bcrypt ntdll)
set(libraries_archive ZLIB::ZLIB deflate bzip2 lzma zstd)
set(libraries_proof sodium)
set(libraries_client winhttp)
set(libraries_participant)

# What has no part in it: confining a stranger's archive, unpacking, the server's side of HTTP.
set(without_archive unpack verifier verifiers answer)
set(only_http answer fields)
# Of sys these are for every system; all else is Linux.
set(only_sys clock random_text whole_file)

foreach(room base sys model wording proof archive http client participant)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.cc)
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  if(only_${room})
    list(JOIN only_${room} "|" names)
    list(FILTER sources INCLUDE REGEX "/(${names})\\.cc$")
  endif()
  foreach(name IN LISTS without_${room})
    list(FILTER sources EXCLUDE REGEX "/${name}\\.cc$")
  endforeach()
  file(GLOB own CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/windows/*.cc)
  foreach(source IN LISTS own)  # A file of the same name takes the place of Linux's.
    cmake_path(GET source FILENAME name)
    list(FILTER sources EXCLUDE REGEX "/${room}/${name}$")
  endforeach()
  list(FILTER own EXCLUDE REGEX "_test\\.cc$")
  add_library(assay_${room} STATIC ${sources} ${own})
  target_link_libraries(assay_${room} PUBLIC assay_options ${libraries_${room}} ${below})
  list(PREPEND below assay_${room})
endforeach()

add_executable(assay-client ${CMAKE_SOURCE_DIR}/src/participant/main.cc)
target_link_libraries(assay-client PRIVATE assay_participant pthread)
target_link_options(assay-client PRIVATE -s)

# Its tests, for a Windows, or wine. GoogleTest from the sources that libgtest-dev comes with.
set(googletest /usr/src/googletest/googletest)
if(EXISTS ${googletest}/src/gtest-all.cc)
  add_library(gtest STATIC EXCLUDE_FROM_ALL ${googletest}/src/gtest-all.cc ${googletest}/src/gtest_main.cc)
  target_include_directories(gtest SYSTEM PUBLIC ${googletest}/include PRIVATE ${googletest})
  target_compile_options(gtest PRIVATE -w)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*/windows/*_test.cc)
  foreach(name pack_faults pieces steady)
    list(APPEND tests ${CMAKE_SOURCE_DIR}/src/archive/${name}_test.cc)
  endforeach()
  add_executable(windows_test EXCLUDE_FROM_ALL ${tests})
  target_link_libraries(windows_test PRIVATE assay_client gtest pthread)
endif()
