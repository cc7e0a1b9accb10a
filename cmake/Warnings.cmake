# Warnings for everything of ours; hardening where the build type is a release.
add_library(oras_flags INTERFACE)
target_compile_features(oras_flags INTERFACE c_std_11)
target_compile_definitions(oras_flags INTERFACE _POSIX_C_SOURCE=200809L)
target_compile_options(oras_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wvla
  -Wformat=2 -fvisibility=hidden)
target_include_directories(oras_flags INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
if(ORAS_WERROR)
  target_compile_options(oras_flags INTERFACE -Werror)
endif()

set(hardened "$<CONFIG:Release,RelWithDebInfo,MinSizeRel>")
if(ORAS_SANITIZE) # a list with commas: no generator expression can hold it
  set(hardened 0)
endif()
target_compile_options(oras_flags INTERFACE
  "$<${hardened}:-fstack-protector-strong;-fstack-clash-protection;-fcf-protection=full;-ftrivial-auto-var-init=zero;-fno-delete-null-pointer-checks;-fno-strict-overflow;-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")
add_link_options("$<${hardened}:LINKER:-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed>")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
