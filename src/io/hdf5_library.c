#include "io/hdf5_library.h"

#include <dlfcn.h>
#include <stdint.h>

#include "core/build_info.h"

/* Under the name by which the program would be linked to it, which is looked for where all libraries are; else the file
   that was there when the library was built. It stays loaded: HDF5 does not allow to be unloaded and loaded again. */
static void *load(void)
{
    int flags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
    void *handle = dlopen(BUILD_HDF5_NAME, flags);
    return handle ? handle : dlopen(BUILD_HDF5_FILE, flags);
}

static sgdmft_status fail_to_load(sgdmft_context *ctx, const char *why)
{
    return context_fail(ctx, SGDMFT_ERR_IO,
                        "HDF5 files need the library %s, which cannot be loaded: %s; hint: install it, or write the "
                        "curves as CSV alone",
                        BUILD_HDF5_NAME, why ? why : "no reason given");
}

/* A symbol's address in *out, which is a pointer of any kind. Returns 0 if there is none of that name. */
static int find(void *handle, const char *name, void *out)
{
    *(void **)out = dlsym(handle, name);
    return *(void **)out != NULL;
}

/* A constant into *out. If the program itself is linked to HDF5, the linker may have moved the variable into the
   program, and that of the library stays empty. Returns 0 if neither has a value. */
static int find_constant(void *handle, const char *name, hid_t *out)
{
    const hid_t *value = dlsym(RTLD_DEFAULT, name);
    if (!value || *value <= 0)
        value = dlsym(handle, name);
    *out = value ? *value : -1;
    return *out > 0;
}

static sgdmft_status check_version(sgdmft_context *ctx, void *handle)
{
    __typeof__(&H5get_libversion) version;
    unsigned major = 0, minor = 0, release = 0;
    if (!find(handle, "H5get_libversion", &version) || version(&major, &minor, &release) < 0)
        return fail_to_load(ctx, "it has no version");
    if (major == H5_VERS_MAJOR && minor == H5_VERS_MINOR && release >= H5_VERS_RELEASE)
        return SGDMFT_OK;
    return context_fail(ctx, SGDMFT_ERR_IO,
                        "the HDF5 library %s is version %u.%u.%u; needed: %d.%d.%d, or a later release of %d.%d",
                        BUILD_HDF5_NAME, major, minor, release, H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE,
                        H5_VERS_MAJOR, H5_VERS_MINOR);
}

sgdmft_status hdf5_library_load(sgdmft_context *ctx, hdf5_library *out)
{
    void *handle = load();
    if (!handle)
        return fail_to_load(ctx, dlerror());
    sgdmft_status status = check_version(ctx, handle);
    if (status)
        return status;
#define FUNCTION(name)                                                                                                 \
    if (!find(handle, "H5" #name, &out->name))                                                                         \
        return fail_to_load(ctx, "it has no function H5" #name);
    HDF5_FUNCTIONS(FUNCTION)
#undef FUNCTION
    if (out->open() < 0) /* gives the constants their values */
        return fail_to_load(ctx, "H5open failed");
#define CONSTANT(name, variable)                                                                                       \
    if (!find_constant(handle, #variable, &out->name))                                                                 \
        return fail_to_load(ctx, "it has no constant " #variable);
    HDF5_CONSTANTS(CONSTANT)
#undef CONSTANT
    return SGDMFT_OK;
}

hdf5_printer hdf5_silence(const hdf5_library *h5)
{
    hdf5_printer before = {0};
    h5->Eget_auto2(H5E_DEFAULT, &before.print, &before.data);
    h5->Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return before;
}

void hdf5_restore(const hdf5_library *h5, hdf5_printer before)
{
    h5->Eset_auto2(H5E_DEFAULT, before.print, before.data);
}
