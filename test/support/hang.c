/* Preloaded. Opening a file or listing a folder below $HANG blocks forever, as on a file server that does not respond. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void meet(const char *path) {
  const char *hang = getenv("HANG");
  if (hang && path && strncmp(path, hang, strlen(hang)) == 0)
    for (;;) pause();
}

#define MODE(last) va_list list; va_start(list, last); unsigned mode = va_arg(list, unsigned); va_end(list)

int open(const char *path, int flags, ...) {
  MODE(flags);
  meet(path);
  return ((int (*)(const char *, int, unsigned))dlsym(RTLD_NEXT, "open"))(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE(flags);
  meet(path);
  return ((int (*)(const char *, int, unsigned))dlsym(RTLD_NEXT, "open64"))(path, flags, mode);
}

int scandir(const char *restrict path, struct dirent ***restrict list, int (*filter)(const struct dirent *),
            int (*compare)(const struct dirent **, const struct dirent **)) {
  meet(path);
  return ((int (*)(const char *, struct dirent ***, int (*)(const struct dirent *),
                   int (*)(const struct dirent **, const struct dirent **)))dlsym(RTLD_NEXT, "scandir"))(path, list, filter, compare);
}

int scandir64(const char *restrict path, struct dirent64 ***restrict list, int (*filter)(const struct dirent64 *),
              int (*compare)(const struct dirent64 **, const struct dirent64 **)) {
  meet(path);
  return ((int (*)(const char *, struct dirent64 ***, int (*)(const struct dirent64 *),
                   int (*)(const struct dirent64 **, const struct dirent64 **)))dlsym(RTLD_NEXT, "scandir64"))(path, list, filter, compare);
}
