#include "sgdmft/version.h"

#include <gsl/gsl_version.h>
#include <hdf5.h>
#include <sleef.h>

#include "core/build_info.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define DOTTED(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

#if defined(__clang__)
#define COMPILER __VERSION__
#else
#define COMPILER "GCC " __VERSION__
#endif

const char *sgdmft_version(void)
{
    return SGDMFT_VERSION;
}

const char *sgdmft_build_info(void)
{
    return COMPILER ", OpenMP " TEXT(_OPENMP) ", HDF5 " DOTTED(H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE)
           ", GSL " GSL_VERSION ", SLEEF " DOTTED(SLEEF_VERSION_MAJOR, SLEEF_VERSION_MINOR, SLEEF_VERSION_PATCHLEVEL)
           ", OpenBLAS " BUILD_OPENBLAS ", LAPACKE " BUILD_LAPACKE ", libyaml " BUILD_YAML;
}
