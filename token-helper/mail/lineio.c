/* lineio.c - see lineio.h. */
#include "lineio.h"

#include <string.h>

#define READ_SIZE 4096u

void
lineio_init(struct lineio *io, size_t max, lineio_more_fn *more, void *arg)
{
    const struct lineio fresh = {.more = more, .arg = arg, .max = max};

    *io = fresh;
    io->in.max = 2 * max + 2 * READ_SIZE;
    io->line.max = max + READ_SIZE;
}

void
lineio_clear(struct lineio *io)
{
    secret_clear(&io->in);
    secret_clear(&io->line);
    io->pos = io->last = 0;
}

/* Reads more behind what is there. The beginning of the line taken last stays, for
 * lineio_unread(), as long as nothing was taken behind it. */
static int
read_more(struct lineio *io, struct err *err)
{
    size_t n = 0;
    int r;

    if (io->pos > 0) {
        secret_consume(&io->in, io->pos);
        io->pos = io->last = 0;
    }
    if ((r = secret_reserve(&io->in, READ_SIZE)) != 0)
        return err_set(err, r, "no room for a line");
    if ((r = io->more(io->arg, io->in.data + io->in.len, READ_SIZE, &n, err)) != 0)
        return r;
    if (n == 0)
        return LINEIO_END;
    io->in.len += n;
    io->in.data[io->in.len] = '\0';
    return 0;
}

static int
take(struct lineio *io, size_t end, const char **line_r, struct err *err)
{
    const char *text = io->in.data + io->pos;
    size_t len = end - io->pos;
    int r;

    io->last = io->pos;
    io->pos = end;
    len--;
    if (len > 0 && text[len - 1] == '\r')
        len--;
    if (memchr(text, '\0', len) != NULL)
        return err_set(err, ERR_PROTOCOL, "a line holds a NUL byte");
    if ((r = secret_set(&io->line, text, len)) != 0)
        return err_set(err, r, "no room for a line");
    *line_r = secret_str(&io->line);
    return 0;
}

int
lineio_line(struct lineio *io, const char **line_r, struct err *err)
{
    for (;;) {
        size_t have = io->in.len - io->pos;
        const char *start = have > 0 ? io->in.data + io->pos : "";
        const char *end = memchr(start, '\n', have < io->max ? have : io->max);
        int r;

        if (end != NULL)
            return take(io, (size_t)(end - io->in.data) + 1, line_r, err);
        if (have >= io->max)
            return err_set(err, ERR_PROTOCOL, "a line is longer than %zu bytes", io->max);
        if ((r = read_more(io, err)) != 0)
            return r;
    }
}

int
lineio_take(struct lineio *io, size_t n, struct secret *out, struct err *err)
{
    int r = lineio_skip(io, n, err);

    if (r == 0 && n > 0 && (r = secret_append(out, io->in.data + io->pos - n, n)) != 0)
        err_set(err, r, "no room for a literal");
    return r;
}

int
lineio_skip(struct lineio *io, size_t n, struct err *err)
{
    int r;

    if (n > io->max)
        return err_set(err, ERR_PROTOCOL, "a literal is longer than %zu bytes", io->max);
    while (io->in.len - io->pos < n)
        if ((r = read_more(io, err)) != 0)
            return r;
    io->pos += n;
    io->last = io->pos;
    return 0;
}

void
lineio_unread(struct lineio *io)
{
    io->pos = io->last;
}

const char *
lineio_rest(const struct lineio *io, size_t *len_r)
{
    *len_r = io->in.len - io->pos;
    return *len_r > 0 ? io->in.data + io->pos : "";
}
