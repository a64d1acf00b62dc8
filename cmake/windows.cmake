# The participants' client for Windows: the same rooms, with src/ROOM/windows/ where a system is asked, and one static .exe.
#
# Configured by the preset `windows`, which tools/windows-libraries comes before. Header-only libraries are the machine's own, seen
# through a folder that shows nothing else of it.
enable_language(C)
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
target_link_options(assay_options INTERFACE -Wl,--gc-sections -Wl,--icf=safe)

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
foreign_library(zstd zstd-1.5.4+dfsg2/lib ${sources})
target_compile_definitions(zstd PRIVATE ZSTD_DISABLE_ASM ZSTD_LEGACY_SUPPORT=0)

set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(BUILD_SHARED_LIBS OFF)
add_subdirectory(${fetched}/xz-5.4.1 ${CMAKE_BINARY_DIR}/xz EXCLUDE_FROM_ALL)
target_include_directories(liblzma SYSTEM INTERFACE $<BUILD_INTERFACE:${fetched}/xz-5.4.1/src/liblzma/api>)
target_compile_options(liblzma PRIVATE -w -ffunction-sections -fdata-sections)

find_package(ZLIB REQUIRED)

set(libraries_base)
set(libraries_sys bcrypt ntdll)
set(libraries_archive ZLIB::ZLIB deflate bzip2 liblzma zstd)

# What has no part in it: confining a stranger's archive, unpacking, the server's side of HTTP.
set(without_archive unpack verifier verifiers answer)
set(only_http answers chunked client head message parameters)
# Of sys these are for every system; all else is Linux.
set(only_sys clock random_text whole_file)

foreach(room base sys model wording archive http client)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
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
