#include "validation/claims/texts.h"

#include <string.h>

const char *embedded_find(const char *stem, const char *ending)
{
    size_t length = strlen(stem);
    for (const embedded_text *t = embedded_texts; t->name; t++)
        if (strncmp(t->name, stem, length) == 0 && strcmp(t->name + length, ending) == 0)
            return t->text;
    return NULL;
}
