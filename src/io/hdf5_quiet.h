/* HDF5 prints its errors by default, which a library must not do: silence while it works, and the caller's own choice
   afterwards. */
#ifndef SGDMFT_IO_HDF5_QUIET_H
#define SGDMFT_IO_HDF5_QUIET_H

#include <hdf5.h>

typedef struct hdf5_printer {
    H5E_auto2_t print;
    void *data;
} hdf5_printer;

static inline hdf5_printer hdf5_silence(void)
{
    hdf5_printer before = {0};
    H5Eget_auto2(H5E_DEFAULT, &before.print, &before.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return before;
}

static inline void hdf5_restore(hdf5_printer before)
{
    H5Eset_auto2(H5E_DEFAULT, before.print, before.data);
}

#endif
