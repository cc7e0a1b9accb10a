/* SPDX-License-Identifier: MIT */
#include "bind/sandbox_program.h"

/* ORAS_SANDBOX_PROGRAM is where the build has put it. */
__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        ".global oras_sandbox_program\n"
        ".hidden oras_sandbox_program\n"
        "oras_sandbox_program:\n"
        ".incbin \"" ORAS_SANDBOX_PROGRAM "\"\n"
        ".global oras_sandbox_program_end\n"
        ".hidden oras_sandbox_program_end\n"
        "oras_sandbox_program_end:\n"
        ".byte 0\n"
        ".popsection\n");
