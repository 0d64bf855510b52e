/* wrap.c - see wrap.h. */
#include "wrap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/core.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

/* libcurl checks the types of some calls by macros of the same names. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define BIT(mode) (1u << (mode))
#define FAILS BIT(WRAP_FAIL)
#define WAITS (BIT(WRAP_FAIL) | BIT(WRAP_INTERRUPT))
#define MOVES (BIT(WRAP_FAIL) | BIT(WRAP_INTERRUPT) | BIT(WRAP_SHORT))

enum kind { DISK, MEMORY }; /* MEMORY: see wrap_struck_memory() */

static _Atomic int plan_mode;
static atomic_long plan_target, plan_count;
static const char *_Atomic struck;
static atomic_bool struck_memory;

void
wrap_begin(enum wrap_mode mode, long target)
{
    struck = NULL;
    struck_memory = false;
    plan_count = 0;
    plan_target = target;
    plan_mode = (int)mode + 1; /* 0: no plan */
}

long
wrap_end(void)
{
    plan_mode = 0;
    return plan_count;
}

const char *
wrap_struck(void)
{
    return struck;
}

bool
wrap_struck_memory(void)
{
    return struck_memory;
}

/* How this call goes wrong; WRAP_COUNT: not at all. */
static enum wrap_mode
fate(const char *name, unsigned modes, enum kind kind)
{
    int mode = plan_mode - 1;

    if (mode < 0 || (mode != WRAP_COUNT && (modes & BIT(mode)) == 0))
        return WRAP_COUNT;
    if (atomic_fetch_add(&plan_count, 1) + 1 != plan_target || mode == WRAP_COUNT)
        return WRAP_COUNT;
    struck = name;
    struck_memory = kind == MEMORY;
    return (enum wrap_mode)mode;
}

/* A call that fails with this errno, or by returning `bad` alone. */
#define WRAP(type, name, params, args, modes, kind, bad, reason)                         \
    type __real_##name params;                                                           \
    type __wrap_##name params;                                                           \
    type __wrap_##name params                                                            \
    {                                                                                    \
        enum wrap_mode how_ = fate(#name, modes, kind);                                  \
                                                                                         \
        if (how_ == WRAP_FAIL || how_ == WRAP_INTERRUPT) {                               \
            errno = how_ == WRAP_INTERRUPT ? EINTR : (reason);                           \
            return bad;                                                                  \
        }                                                                                \
        return __real_##name args;                                                       \
    }

/* One that moves `len` bytes. */
#define WRAP_MOVE(name, params, args, one, kind, reason)                                 \
    ssize_t __real_##name params;                                                        \
    ssize_t __wrap_##name params;                                                        \
    ssize_t __wrap_##name params                                                         \
    {                                                                                    \
        enum wrap_mode how_ = fate(#name, MOVES, kind);                                  \
                                                                                         \
        if (how_ == WRAP_FAIL || how_ == WRAP_INTERRUPT) {                               \
            errno = how_ == WRAP_INTERRUPT ? EINTR : (reason);                           \
            return -1;                                                                   \
        }                                                                                \
        if (how_ == WRAP_SHORT && len > 1)                                               \
            return __real_##name one;                                                    \
        return __real_##name args;                                                       \
    }

/* --- memory */

WRAP(void *, malloc, (size_t size), (size), FAILS, MEMORY, NULL, ENOMEM)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), FAILS, MEMORY, NULL, ENOMEM)
WRAP(void *, realloc, (void *p, size_t size), (p, size), FAILS, MEMORY, NULL, ENOMEM)
WRAP(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size), FAILS, MEMORY,
     NULL, ENOMEM)
WRAP(char *, strdup, (const char *s), (s), FAILS, MEMORY, NULL, ENOMEM)
WRAP(char *, strndup, (const char *s, size_t n), (s, n), FAILS, MEMORY, NULL, ENOMEM)

/* --- files */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int at, const char *path, int flags, ...);
int __wrap_openat(int at, const char *path, int flags, ...);
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __real_close(int fd);
int __wrap_close(int fd);

/* Not interrupted: what is opened are regular files, and FIFOs without blocking. */
static bool
open_fails(const char *name)
{
    errno = EMFILE;
    return fate(name, FAILS, DISK) == WRAP_FAIL;
}

int
__wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list args;

    va_start(args, flags);
    if ((flags & O_CREAT) != 0)
        mode = va_arg(args, mode_t);
    va_end(args);
    return open_fails("open") ? -1 : __real_open(path, flags, mode);
}

int
__wrap_openat(int at, const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list args;

    va_start(args, flags);
    if ((flags & O_CREAT) != 0)
        mode = va_arg(args, mode_t);
    va_end(args);
    return open_fails("openat") ? -1 : __real_openat(at, path, flags, mode);
}

int
__wrap_fcntl(int fd, int command, ...)
{
    va_list args;
    long value;

    va_start(args, command);
    value = va_arg(args, long);
    va_end(args);
    if (fate("fcntl", FAILS, DISK) == WRAP_FAIL) {
        errno = EMFILE;
        return -1;
    }
    return __real_fcntl(fd, command, value);
}

/* Linux closes the descriptor whatever it says. */
int
__wrap_close(int fd)
{
    int r = __real_close(fd);

    if (fate("close", FAILS, DISK) != WRAP_FAIL)
        return r;
    errno = EIO;
    return -1;
}

WRAP_MOVE(read, (int fd, void *buf, size_t len), (fd, buf, len), (fd, buf, 1), MEMORY,
          EIO)
WRAP_MOVE(write, (int fd, const void *buf, size_t len), (fd, buf, len), (fd, buf, 1),
          DISK, ENOSPC)
WRAP_MOVE(pwrite, (int fd, const void *buf, size_t len, off_t at), (fd, buf, len, at),
          (fd, buf, 1, at), DISK, ENOSPC)
WRAP(ssize_t, pread, (int fd, void *buf, size_t len, off_t at), (fd, buf, len, at), FAILS,
     DISK, -1, EIO)
WRAP(int, fsync, (int fd), (fd), FAILS, DISK, -1, EIO)
WRAP(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to),
     FAILS, DISK, -1, EIO)
WRAP(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), FAILS, DISK,
     -1, EROFS)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), FAILS, DISK, -1, EROFS)
WRAP(int, fstat, (int fd, struct stat *st), (fd, st), FAILS, DISK, -1, EIO)
WRAP(int, fstatat, (int at, const char *path, struct stat *st, int flags),
     (at, path, st, flags), FAILS, DISK, -1, EIO)
WRAP(int, stat, (const char *path, struct stat *st), (path, st), FAILS, DISK, -1, EIO)
WRAP(int, lstat, (const char *path, struct stat *st), (path, st), FAILS, DISK, -1, EIO)
WRAP(int, ftruncate, (int fd, off_t len), (fd, len), FAILS, DISK, -1, EIO)
WRAP(int, posix_fallocate, (int fd, off_t from, off_t len), (fd, from, len), FAILS, DISK,
     ENOSPC, 0)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), FAILS, DISK, -1, EPERM)
WRAP(int, flock, (int fd, int how), (fd, how), WAITS, DISK, -1, ENOLCK)
WRAP(int, dup3, (int from, int to, int flags), (from, to, flags), FAILS, DISK, -1, EMFILE)
WRAP(int, pipe2, (int ends[2], int flags), (ends, flags), FAILS, DISK, -1, EMFILE)
WRAP(DIR *, fdopendir, (int fd), (fd), FAILS, DISK, NULL, ENOMEM)
WRAP(FILE *, fmemopen, (void *buf, size_t size, const char *how), (buf, size, how), FAILS,
     MEMORY, NULL, ENOMEM)
WRAP(char *, getcwd, (char *buf, size_t size), (buf, size), FAILS, DISK, NULL, ENOENT)

/* --- waiting, sockets, processes */

WRAP(int, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms), WAITS, MEMORY, -1,
     ENOMEM)
WRAP(int, socket, (int family, int type, int protocol), (family, type, protocol), FAILS,
     MEMORY, -1, EMFILE)
WRAP(int, connect, (int fd, const struct sockaddr *a, socklen_t len), (fd, a, len), FAILS,
     MEMORY, -1, ECONNREFUSED)
WRAP_MOVE(recv, (int fd, void *buf, size_t len, int flags), (fd, buf, len, flags),
          (fd, buf, 1, flags), MEMORY, ECONNRESET)
WRAP(int, bind, (int fd, const struct sockaddr *a, socklen_t len), (fd, a, len), FAILS,
     MEMORY, -1, EADDRINUSE)
WRAP(int, listen, (int fd, int backlog), (fd, backlog), FAILS, MEMORY, -1, EADDRINUSE)
WRAP(int, accept4, (int fd, struct sockaddr *a, socklen_t *len, int flags),
     (fd, a, len, flags), WAITS, MEMORY, -1, EMFILE)
WRAP(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),
     (fd, level, name, value, len), FAILS, MEMORY, -1, ENOBUFS)
WRAP(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
     (fd, level, name, value, len), FAILS, MEMORY, -1, ENOBUFS)
WRAP(int, shutdown, (int fd, int how), (fd, how), FAILS, MEMORY, -1, ENOTCONN)

ssize_t __real_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);

/* Where it fails the other side is gone, for recv() as well. */
ssize_t
__wrap_send(int fd, const void *buf, size_t len, int flags)
{
    enum wrap_mode mode = fate("send", MOVES, MEMORY);

    if (mode == WRAP_FAIL)
        __real_shutdown(fd, SHUT_RDWR);
    if (mode == WRAP_FAIL || mode == WRAP_INTERRUPT) {
        errno = mode == WRAP_FAIL ? EPIPE : EINTR;
        return -1;
    }
    return __real_send(fd, buf, mode == WRAP_SHORT && len > 1 ? 1 : len, flags);
}

WRAP(int, epoll_create1, (int flags), (flags), FAILS, MEMORY, -1, EMFILE)
WRAP(int, epoll_ctl, (int fd, int what, int other, struct epoll_event *e),
     (fd, what, other, e), FAILS, MEMORY, -1, ENOSPC)
WRAP(int, epoll_wait, (int fd, struct epoll_event *e, int n, int ms), (fd, e, n, ms),
     BIT(WRAP_INTERRUPT), MEMORY, -1, EINTR)
WRAP(int, eventfd, (unsigned value, int flags), (value, flags), FAILS, MEMORY, -1, EMFILE)
WRAP(int, posix_spawn,
     (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]),
     (pid, path, actions, attributes, argv, envp), FAILS, MEMORY, EAGAIN, 0)
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *),
      void *arg),
     (thread, attributes, run, arg), FAILS, MEMORY, EAGAIN, 0)
WRAP(ssize_t, getrandom, (void *buf, size_t len, unsigned flags), (buf, len, flags),
     WAITS, MEMORY, -1, ENOSYS)
WRAP(int, getaddrinfo,
     (const char *host, const char *port, const struct addrinfo *hints,
      struct addrinfo **list_r),
     (host, port, hints, list_r), FAILS, MEMORY, EAI_AGAIN, 0)

/* --- libcurl */

CURLcode __real_curl_easy_setopt(CURL *curl, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *curl, CURLoption option, ...);
CURLcode __real_curl_easy_getinfo(CURL *curl, CURLINFO info, ...);
CURLcode __wrap_curl_easy_getinfo(CURL *curl, CURLINFO info, ...);

/* Everything these take is as wide as a pointer. */
CURLcode
__wrap_curl_easy_setopt(CURL *curl, CURLoption option, ...)
{
    va_list args;
    void *value;

    va_start(args, option);
    value = va_arg(args, void *);
    va_end(args);
    return fate("curl_easy_setopt", FAILS, MEMORY) == WRAP_FAIL
               ? CURLE_OUT_OF_MEMORY
               : __real_curl_easy_setopt(curl, option, value);
}

CURLcode
__wrap_curl_easy_getinfo(CURL *curl, CURLINFO info, ...)
{
    va_list args;
    void *value;

    va_start(args, info);
    value = va_arg(args, void *);
    va_end(args);
    return fate("curl_easy_getinfo", FAILS, MEMORY) == WRAP_FAIL
               ? CURLE_OUT_OF_MEMORY
               : __real_curl_easy_getinfo(curl, info, value);
}

WRAP(CURL *, curl_easy_init, (void), (), FAILS, MEMORY, NULL, ENOMEM)
WRAP(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *text),
     (list, text), FAILS, MEMORY, NULL, ENOMEM)
WRAP(CURLM *, curl_multi_init, (void), (), FAILS, MEMORY, NULL, ENOMEM)
WRAP(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL *easy), (multi, easy), FAILS,
     MEMORY, CURLM_OUT_OF_MEMORY, 0)
WRAP(CURLMcode, curl_multi_perform, (CURLM * multi, int *running), (multi, running),
     FAILS, MEMORY, CURLM_OUT_OF_MEMORY, 0)
WRAP(CURLMcode, curl_multi_poll,
     (CURLM * multi, struct curl_waitfd fds[], unsigned n, int ms, int *ready),
     (multi, fds, n, ms, ready), FAILS, MEMORY, CURLM_OUT_OF_MEMORY, 0)

/* --- OpenSSL */

WRAP(int, RAND_bytes, (unsigned char *buf, int n), (buf, n), FAILS, DISK, 0, 0)
WRAP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, (void), (), FAILS, DISK, NULL, ENOMEM)
WRAP(int, EVP_CipherInit_ex2,
     (EVP_CIPHER_CTX * ctx, const EVP_CIPHER *cipher, const unsigned char *key,
      const unsigned char *iv, int encrypts, const OSSL_PARAM params[]),
     (ctx, cipher, key, iv, encrypts, params), FAILS, DISK, 0, 0)
WRAP(int, EVP_CipherUpdate,
     (EVP_CIPHER_CTX * ctx, unsigned char *out, int *out_len, const unsigned char *in,
      int len),
     (ctx, out, out_len, in, len), FAILS, DISK, 0, 0)
WRAP(int, EVP_CipherFinal_ex, (EVP_CIPHER_CTX * ctx, unsigned char *out, int *len),
     (ctx, out, len), FAILS, DISK, 0, 0)
WRAP(int, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * ctx, int type, int arg, void *ptr),
     (ctx, type, arg, ptr), FAILS, DISK, 0, 0)
WRAP(EVP_MD_CTX *, EVP_MD_CTX_new, (void), (), FAILS, DISK, NULL, ENOMEM)
WRAP(int, EVP_DigestSignInit,
     (EVP_MD_CTX * ctx, EVP_PKEY_CTX **pctx, const EVP_MD *type, ENGINE *e,
      EVP_PKEY *key),
     (ctx, pctx, type, e, key), FAILS, DISK, 0, 0)
WRAP(int, EVP_DigestSign,
     (EVP_MD_CTX * ctx, unsigned char *sig, size_t *len, const unsigned char *text,
      size_t text_len),
     (ctx, sig, len, text, text_len), FAILS, DISK, 0, 0)
WRAP(int, EVP_Digest,
     (const void *data, size_t n, unsigned char *out, unsigned *len, const EVP_MD *type,
      ENGINE *e),
     (data, n, out, len, type, e), FAILS, DISK, 0, 0)
WRAP(BIO *, BIO_new_mem_buf, (const void *buf, int len), (buf, len), FAILS, DISK, NULL,
     ENOMEM)
WRAP(X509 *, PEM_read_bio_X509, (BIO * bio, X509 **x, pem_password_cb *cb, void *u),
     (bio, x, cb, u), FAILS, DISK, NULL, ENOMEM)
WRAP(EVP_PKEY *, PEM_read_bio_PrivateKey,
     (BIO * bio, EVP_PKEY **x, pem_password_cb *cb, void *u), (bio, x, cb, u), FAILS,
     DISK, NULL, ENOMEM)
WRAP(int, X509_digest,
     (const X509 *data, const EVP_MD *type, unsigned char *out, unsigned *len),
     (data, type, out, len), FAILS, DISK, 0, 0)
WRAP(int, EVP_PKEY_CTX_set_rsa_padding, (EVP_PKEY_CTX * ctx, int mode), (ctx, mode),
     FAILS, DISK, 0, 0)
WRAP(int, EVP_PKEY_CTX_set_rsa_pss_saltlen, (EVP_PKEY_CTX * ctx, int len), (ctx, len),
     FAILS, DISK, 0, 0)
