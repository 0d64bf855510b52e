/* base64.c - see base64.h. */
#include "base64.h"

#include <stdint.h>
#include <string.h>

#include "../client/error.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int
base64_encode(const char *bytes, size_t len, struct secret *out)
{
    /* Room for everything at once: growing would copy. */
    int r = secret_reserve(out, (len + 2) / 3 * 4);

    for (size_t i = 0; i < len && r == 0; i += 3) {
        size_t left = len - i;
        unsigned bits = (unsigned)(unsigned char)bytes[i] << 16;
        char four[4];

        if (left > 1)
            bits |= (unsigned)(unsigned char)bytes[i + 1] << 8;
        if (left > 2)
            bits |= (unsigned)(unsigned char)bytes[i + 2];
        four[0] = alphabet[bits >> 18];
        four[1] = alphabet[bits >> 12 & 63];
        four[2] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        four[3] = left > 2 ? alphabet[bits & 63] : '=';
        r = secret_append(out, four, sizeof four);
        explicit_bzero(four, sizeof four);
    }
    return r;
}

/* The six bits of a character, -1 when it is none. */
static int
value_of(char c)
{
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

    return at != NULL ? (int)(at - alphabet) : -1;
}

/* Four characters, of which the last `pad` are padding. */
static int
decode_four(const char *four, size_t pad, struct secret *out)
{
    uint32_t bits = 0;
    char bytes[3];

    for (size_t i = 0; i < 4; i++) {
        int value = i >= 4 - pad ? 0 : value_of(four[i]);

        if (value < 0)
            return ERR_PROTOCOL;
        bits = bits << 6 | (uint32_t)value;
    }
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(bits >> (16 - 8 * i) & 0xff);
    return secret_append(out, bytes, 3 - pad);
}

int
base64_decode(const char *text, size_t len, struct secret *out)
{
    struct secret got = SECRET_INIT;
    int r = len % 4 == 0 ? 0 : ERR_PROTOCOL;

    for (size_t i = 0; i < len && r == 0; i += 4) {
        size_t pad = 0;

        if (i + 4 == len && text[i + 3] == '=')
            pad = text[i + 2] == '=' ? 2 : 1;
        r = decode_four(text + i, pad, &got);
    }
    if (r == 0 && got.len > 0)
        r = secret_append(out, got.data, got.len);
    secret_clear(&got);
    return r;
}
