/* secret.c - see secret.h. */
#include "secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

#define FIRST_CAP 128u

/* All of the allocation is wiped, not only `len` bytes: callers that read into the spare
 * room may have failed before they counted what they read. */
static void
wipe_and_free(char *data, size_t cap)
{
    if (data != NULL) {
        explicit_bzero(data, cap);
        free(data);
    }
}

void
secret_clear(struct secret *s)
{
    wipe_and_free(s->data, s->cap);
    s->data = NULL;
    s->len = 0;
    s->cap = 0;
}

void
secret_reset(struct secret *s)
{
    if (s->data != NULL)
        explicit_bzero(s->data, s->cap);
    s->len = 0;
}

int
secret_reserve(struct secret *s, size_t more)
{
    size_t max = s->max != 0 ? s->max : SECRET_MAX_DEFAULT;
    size_t need;
    size_t cap;
    char *data;

    if (more > max || s->len > max - more || max == SIZE_MAX)
        return ERR_PROTOCOL;
    need = s->len + more + 1;
    if (need <= s->cap)
        return 0;
    cap = s->cap > SIZE_MAX / 2 ? need : s->cap * 2;
    if (cap < FIRST_CAP)
        cap = FIRST_CAP;
    if (cap > max + 1)
        cap = max + 1;
    if (cap < need)
        cap = need;
    data = malloc(cap);
    if (data == NULL)
        return ERR_NOMEM;
    if (s->len > 0)
        memcpy(data, s->data, s->len);
    data[s->len] = '\0';
    wipe_and_free(s->data, s->cap);
    s->data = data;
    s->cap = cap;
    return 0;
}

int
secret_append(struct secret *s, const void *bytes, size_t len)
{
    int r = secret_reserve(s, len);

    if (r != 0)
        return r;
    if (len > 0)
        memcpy(s->data + s->len, bytes, len);
    s->len += len;
    s->data[s->len] = '\0';
    return 0;
}

int
secret_append_str(struct secret *s, const char *str)
{
    return secret_append(s, str, strlen(str));
}

int
secret_append_char(struct secret *s, char c)
{
    return secret_append(s, &c, 1);
}

int
secret_set(struct secret *s, const void *bytes, size_t len)
{
    secret_reset(s);
    return secret_append(s, bytes, len);
}

void
secret_consume(struct secret *s, size_t n)
{
    size_t left;

    if (n > s->len)
        n = s->len;
    if (n == 0)
        return;
    left = s->len - n;
    memmove(s->data, s->data + n, left);
    explicit_bzero(s->data + left, n);
    s->len = left;
}

void
secret_move(struct secret *to, struct secret *from)
{
    if (to == from)
        return;
    secret_clear(to);
    to->data = from->data;
    to->len = from->len;
    to->cap = from->cap;
    from->data = NULL;
    from->len = 0;
    from->cap = 0;
}

const char *
secret_str(const struct secret *s)
{
    return s->data != NULL ? s->data : "";
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
    unsigned char differ = 0;

    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        differ = (unsigned char)(differ | (unsigned char)(a->data[i] ^ b->data[i]));
    return differ == 0;
}

/* Eight bytes at once, since tokens have thousands and each is looked at in every
 * exchange. The subtraction borrows into a byte's top bit if the byte was below 0x20; a
 * byte whose top bit was set before does not count. The same for "below 1" after 0x7f is
 * made 0. A borrow that goes on to the next byte comes from a hit, so the answer for the
 * eight is right. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static bool
word_has_control(uint64_t w)
{
    uint64_t del = w ^ EACH(0x7f);

    return ((((w - EACH(0x20)) & ~w) | ((del - EACH(1)) & ~del)) & EACH(0x80)) != 0;
}

bool
secret_has_control(const struct secret *s)
{
    size_t i = 0;

    for (uint64_t w; s->len - i >= sizeof(w); i += sizeof(w)) {
        memcpy(&w, s->data + i, sizeof(w));
        if (word_has_control(w))
            return true;
    }
    for (; i < s->len; i++) {
        unsigned char c = (unsigned char)s->data[i];

        if (c < 0x20 || c == 0x7f)
            return true;
    }
    return false;
}
