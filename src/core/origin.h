/* Where a value came from, for messages. */
#ifndef SGDMFT_CORE_ORIGIN_H
#define SGDMFT_CORE_ORIGIN_H

typedef struct origin {
    const char *source; /* file name, or "--set" for an override; not owned */
    int line, column;   /* 1-based position of the first character of the value; 0 if there is none */
    const char *key;    /* dotted key, e.g. "model.loss"; not owned */
} origin;

#endif
