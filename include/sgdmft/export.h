/* Symbol visibility of the public interface. */
#ifndef SGDMFT_EXPORT_H
#define SGDMFT_EXPORT_H

#if defined(__GNUC__)
#define SGDMFT_API __attribute__((visibility("default")))
#else
#define SGDMFT_API
#endif

#ifdef __cplusplus
#define SGDMFT_BEGIN_DECLS extern "C" {
#define SGDMFT_END_DECLS }
#else
#define SGDMFT_BEGIN_DECLS
#define SGDMFT_END_DECLS
#endif

#endif
