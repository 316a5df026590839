/* HDF5, loaded when a file is written or read. The library brings more than thirty others with it (for files on remote
   servers), which would take half of the start-up time of a program that often needs none of them. Only its header is
   used at build time: the calls go through a table of its functions. */
#ifndef SGDMFT_IO_HDF5_LIBRARY_H
#define SGDMFT_IO_HDF5_LIBRARY_H

#include <hdf5.h>

#include "core/context.h"

/* Every function of HDF5 that is called, without its prefix H5. */
#define HDF5_FUNCTIONS(F)                                                                                              \
    F(open)                                                                                                            \
    F(free_memory)                                                                                                     \
    F(Aclose) F(Acreate2) F(Aexists) F(Aget_space) F(Aget_type) F(Aopen) F(Aread) F(Awrite) F(Dclose) F(Dcreate2)      \
        F(Dget_space) F(Dget_type) F(Dopen2) F(Dread) F(Dwrite) F(Eget_auto2) F(Eset_auto2) F(Fclose) F(Fcreate)       \
            F(Fflush) F(Fget_file_image) F(Fopen) F(Gclose) F(Gcreate2) F(Gopen2) F(Lexists) F(Pclose) F(Pcreate)      \
                F(Pset_fapl_core) F(Pset_obj_track_times) F(Sclose) F(Screate) F(Screate_simple)                       \
                    F(Sget_simple_extent_dims) F(Sget_simple_extent_ndims) F(Sget_simple_extent_npoints) F(Tclose)     \
                        F(Tcopy) F(Tget_class) F(Tget_cset) F(Tis_variable_str) F(Tset_cset) F(Tset_size)

/* Every constant that is a variable of the library: field, and the name of the variable. The macros of the header that
   stand for them would refer to the library itself. */
#define HDF5_CONSTANTS(C)                                                                                              \
    C(P_FILE_ACCESS, H5P_CLS_FILE_ACCESS_ID_g)                                                                         \
    C(P_FILE_CREATE, H5P_CLS_FILE_CREATE_ID_g)                                                                         \
    C(P_GROUP_CREATE, H5P_CLS_GROUP_CREATE_ID_g)                                                                       \
    C(P_DATASET_CREATE, H5P_CLS_DATASET_CREATE_ID_g)                                                                   \
    C(T_C_S1, H5T_C_S1_g)                                                                                              \
    C(T_IEEE_F64LE, H5T_IEEE_F64LE_g)                                                                                  \
    C(T_STD_U64LE, H5T_STD_U64LE_g)                                                                                    \
    C(T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE_g)                                                                            \
    C(T_NATIVE_UINT64, H5T_NATIVE_UINT64_g)

/* The header puts calls of the library into its constants, for what hdf5_library_load does. */
#undef H5CHECK
#undef H5OPEN
#define H5CHECK
#define H5OPEN

typedef struct hdf5_library {
#define FUNCTION(name) __typeof__(&H5##name) name;
#define CONSTANT(name, variable) hid_t name;
    HDF5_FUNCTIONS(FUNCTION)
    HDF5_CONSTANTS(CONSTANT)
#undef FUNCTION
#undef CONSTANT
} hdf5_library;

/* Loads HDF5, which then stays loaded until the process ends, and fills the table. Errors: SGDMFT_ERR_IO if it cannot
   be loaded, or is not the version that the library was built for. */
sgdmft_status hdf5_library_load(sgdmft_context *ctx, hdf5_library *out);

/* HDF5 prints its errors by default, which a library must not do: silence while it works, and the caller's own choice
   afterwards. */
typedef struct hdf5_printer {
    H5E_auto2_t print;
    void *data;
} hdf5_printer;

hdf5_printer hdf5_silence(const hdf5_library *h5);
void hdf5_restore(const hdf5_library *h5, hdf5_printer before);

#endif
