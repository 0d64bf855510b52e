/* local_tls.c - see local_tls.h. */
#include "local_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "../token-helper/base/file.h"

#define KEY_FILE_MAX 65536u

struct local_tls {
    SSL_CTX *ctx;
};

struct tls_stream {
    struct stream stream; /* first: the functions get its address */
    SSL *ssl;
};

/* --- certificate and key ---------------------------------------------------------------
 */

/* The oldest of OpenSSL's errors is the cause. */
static int
wrong(struct err *err, const char *what, const char *path)
{
    unsigned long e = ERR_get_error();
    const char *reason = ERR_reason_error_string(e);

    err_set(err, ERR_CONFIG, "%s %s: %s", what, path,
            reason != NULL ? reason : "it cannot be used");
    ERR_clear_error();
    return ERR_CONFIG;
}

static int
check_key_mode(const struct stat *st, const char *path, struct err *err)
{
    unsigned mode = st->st_mode & 0777u;

    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_CONFIG, "TLS key %s is not a regular file", path);
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return err_set(err, ERR_CONFIG,
                       "TLS key %s belongs to uid %lu, who could change it", path,
                       (unsigned long)st->st_uid);
    if ((mode & 027u) == 0)
        return 0;
    err_set(err, ERR_CONFIG, "TLS key %s has mode %03o: %s", path, mode,
            (mode & 007u) != 0 ? "everybody may use it" : "its group may change it");
    err_hint(err, "chmod 640 %s", path);
    return ERR_CONFIG;
}

static int
read_key_file(const char *path, struct secret *text, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) != 0)
        r = err_set(err, ERR_CONFIG, "TLS key %s: %s", path, strerror(errno));
    else if ((r = check_key_mode(&st, path, err)) == 0)
        r = file_read_fd(fd, path, KEY_FILE_MAX, text, err);
    if (fd >= 0)
        close(fd);
    return r;
}

/* A key with a passphrase is refused: nobody is there to be asked. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static int
use_key(SSL_CTX *ctx, const char *path, struct err *err)
{
    struct secret text = {.max = KEY_FILE_MAX};
    EVP_PKEY *key = NULL;
    BIO *bio = NULL;
    int r = read_key_file(path, &text, err);

    if (r == 0 &&
        ((bio = BIO_new_mem_buf(secret_str(&text), (int)text.len)) == NULL ||
         (key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL)) == NULL ||
         SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1))
        r = wrong(err, "TLS key", path);
    EVP_PKEY_free(key);
    BIO_free(bio);
    secret_clear(&text);
    return r;
}

int
local_tls_load(const char *certificate, const char *key, struct local_tls **tls_r,
               struct err *err)
{
    struct local_tls *tls = calloc(1, sizeof *tls);
    int r = 0;

    ERR_clear_error();
    if (tls == NULL || (tls->ctx = SSL_CTX_new(TLS_server_method())) == NULL) {
        free(tls);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION);
    /* no resumption: sessions are long, and each has a process of its own */
    SSL_CTX_set_options(tls->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                      SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(tls->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(tls->ctx, 0);
    SSL_CTX_set_mode(tls->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                   SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_use_certificate_chain_file(tls->ctx, certificate) != 1)
        r = wrong(err, "TLS certificate", certificate);
    if (r == 0)
        r = use_key(tls->ctx, key, err);
    if (r == 0)
        *tls_r = tls;
    else
        local_tls_free(&tls);
    return r;
}

void
local_tls_free(struct local_tls **tls)
{
    if (*tls == NULL)
        return;
    SSL_CTX_free((*tls)->ctx);
    free(*tls);
    *tls = NULL;
}

/* --- the session -----------------------------------------------------------------------
 */

/* A client that hangs up without TLS's own good-bye has ended too: the mail protocols
 * frame what they carry. */
static enum stream_result
outcome(SSL *ssl, int n, size_t done, size_t *n_r, struct err *err)
{
    const char *reason;

    if (n > 0) {
        *n_r = done;
        return STREAM_DONE;
    }
    switch (SSL_get_error(ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return STREAM_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return STREAM_END;
    case SSL_ERROR_SYSCALL:
        if (errno == 0 || errno == EPIPE || errno == ECONNRESET)
            return STREAM_END;
        err_set(err, ERR_TEMP, "TLS with the mail program: %s", strerror(errno));
        return STREAM_FAILED;
    default:
        reason = ERR_reason_error_string(ERR_peek_error());
        err_set(err, ERR_TEMP, "TLS with the mail program: %s",
                reason != NULL ? reason : "it failed");
        return STREAM_FAILED;
    }
}

static enum stream_result
tls_recv(struct stream *stream, char *buf, size_t size, size_t *n_r, struct err *err)
{
    struct tls_stream *s = (struct tls_stream *)stream;
    size_t done = 0;
    int n;

    ERR_clear_error();
    errno = 0;
    n = SSL_read_ex(s->ssl, buf, size, &done);
    return outcome(s->ssl, n, done, n_r, err);
}

static enum stream_result
tls_send(struct stream *stream, const char *buf, size_t len, size_t *n_r, struct err *err)
{
    struct tls_stream *s = (struct tls_stream *)stream;
    size_t done = 0;
    int n;

    ERR_clear_error();
    errno = 0;
    n = SSL_write_ex(s->ssl, buf, len, &done);
    return outcome(s->ssl, n, done, n_r, err);
}

/* Waits for what the handshake waits for. */
static int
wait_for(SSL *ssl, int fd, const struct deadline *deadline, struct err *err)
{
    struct pollfd p = {fd, SSL_want_write(ssl) ? POLLOUT : POLLIN, 0};

    if (deadline_passed(deadline))
        return err_set(err, ERR_TIMEOUT, "the mail program takes too long over TLS");
    poll(&p, 1, deadline_left(deadline));
    return 0;
}

static int
shake_hands(SSL *ssl, int fd, const struct deadline *deadline, struct err *err)
{
    size_t unused = 0;
    int n, r = 0;

    while (r == 0) {
        ERR_clear_error();
        errno = 0;
        if ((n = SSL_accept(ssl)) == 1)
            return 0;
        switch (outcome(ssl, n, 0, &unused, err)) {
        case STREAM_AGAIN:
            r = wait_for(ssl, fd, deadline, err);
            break;
        case STREAM_DONE:
        case STREAM_END:
            r = err_set(err, ERR_TEMP, "the mail program left during the TLS handshake");
            break;
        case STREAM_FAILED:
            r = ERR_TEMP;
        }
    }
    return r;
}

int
local_tls_accept(struct local_tls *tls, int fd, const struct deadline *deadline,
                 struct stream **stream_r, struct err *err)
{
    struct tls_stream *s = calloc(1, sizeof *s);
    struct stream *stream = (struct stream *)s;
    int r;

    /* one that systemd has accepted blocks */
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (s == NULL || (s->ssl = SSL_new(tls->ctx)) == NULL || SSL_set_fd(s->ssl, fd) != 1)
        r = err_set(err, ERR_NOMEM, "out of memory");
    else
        r = shake_hands(s->ssl, fd, deadline, err);
    if (r != 0) {
        local_tls_close(&stream);
        return r;
    }
    s->stream = (struct stream){fd, tls_recv, tls_send};
    *stream_r = stream;
    return 0;
}

void
local_tls_finish(struct stream *stream)
{
    struct tls_stream *s = (struct tls_stream *)stream;

    ERR_clear_error();
    SSL_shutdown(s->ssl); /* ours alone is sent; the client's is not waited for */
}

void
local_tls_close(struct stream **stream)
{
    struct tls_stream *s = (struct tls_stream *)*stream;

    if (s == NULL)
        return;
    SSL_free(s->ssl);
    free(s);
    *stream = NULL;
}
