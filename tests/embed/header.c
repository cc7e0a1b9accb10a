/* SPDX-License-Identifier: MIT
 * oras.h alone, with every initialiser it has; only compiled. */
#include <oras.h>

int use_header(void);

int use_header(void)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_runtime *rt = NULL;

    err = (oras_error)ORAS_ERROR_INIT;
    opts = (oras_options)ORAS_OPTIONS_INIT;
    err.code = oras_runtime_new(&opts, &rt, &err);
    return err.code == ORAS_OK;
}
