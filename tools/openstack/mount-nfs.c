/*
 * mount.nfs for kernels without an NFS client: NFS version 3 by libnfs on one side, FUSE on the other.
 *
 *   mount.nfs SERVER:/PATH DIRECTORY [-r] [-o OPTIONS]     as mount(8) calls its helpers
 *
 * Of the options only `ro` means something here. One request at a time (-s): a libnfs context is not made for more.
 * Nothing is cached for longer than a call, because the same export may be mounted on another node as well.
 */
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <errno.h>
#include <fuse3/fuse.h>
#include <nfsc/libnfs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define USAGE 1
#define MOUNT_FAILED 32

typedef struct fuse_file_info file_info;

static struct nfs_context *server;

static struct nfsfh *open_file(const file_info *info) { return (struct nfsfh *)(uintptr_t)info->fh; }

static int keep_open(int error, struct nfsfh *file, file_info *info) {
  if (error == 0) info->fh = (uintptr_t)file;
  return error;
}

static void *begin(struct fuse_conn_info *connection, struct fuse_config *config) {
  (void)connection;
  config->use_ino = 1;
  config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
  return NULL;
}

static int fs_getattr(const char *path, struct stat *out, file_info *info) {
  struct nfs_stat_64 in;
  int error = info ? nfs_fstat64(server, open_file(info), &in) : nfs_lstat64(server, path, &in);
  if (error) return error;
  *out = (struct stat){
      .st_ino = in.nfs_ino,
      .st_mode = in.nfs_mode,
      .st_nlink = in.nfs_nlink,
      .st_uid = in.nfs_uid,
      .st_gid = in.nfs_gid,
      .st_size = in.nfs_size,
      .st_blksize = in.nfs_blksize,
      .st_blocks = in.nfs_used / 512,
      .st_atim = {in.nfs_atime, in.nfs_atime_nsec},
      .st_mtim = {in.nfs_mtime, in.nfs_mtime_nsec},
      .st_ctim = {in.nfs_ctime, in.nfs_ctime_nsec},
  };
  return 0;
}

static int fs_readdir(const char *path, void *buffer, fuse_fill_dir_t add, off_t offset, file_info *info,
                      enum fuse_readdir_flags flags) {
  struct nfsdir *directory;
  struct nfsdirent *entry;
  (void)offset, (void)info, (void)flags;
  int error = nfs_opendir(server, path, &directory);
  if (error) return error;
  while ((entry = nfs_readdir(server, directory))) add(buffer, entry->name, NULL, 0, 0);
  nfs_closedir(server, directory);
  return 0;
}

static int fs_open(const char *path, file_info *info) {
  struct nfsfh *file = NULL;
  int error = nfs_open(server, path, info->flags, &file);
  return keep_open(error, file, info);
}

static int fs_create(const char *path, mode_t mode, file_info *info) {
  struct nfsfh *file = NULL;
  int error = nfs_create(server, path, info->flags, mode & 07777, &file);
  return keep_open(error, file, info);
}

static int fs_release(const char *path, file_info *info) {
  (void)path;
  return nfs_close(server, open_file(info));
}

/* The server has a limit for one request, FUSE another. */
static int fs_read(const char *path, char *buffer, size_t size, off_t offset, file_info *info) {
  size_t done = 0, most = nfs_get_readmax(server);
  (void)path;
  while (done < size) {
    size_t wanted = size - done < most ? size - done : most;
    int count = nfs_pread(server, open_file(info), offset + done, wanted, buffer + done);
    if (count < 0) return count;
    if (count == 0) break;
    done += count;
  }
  return done;
}

static int fs_write(const char *path, const char *buffer, size_t size, off_t offset, file_info *info) {
  size_t done = 0, most = nfs_get_writemax(server);
  (void)path;
  while (done < size) {
    size_t wanted = size - done < most ? size - done : most;
    int count = nfs_pwrite(server, open_file(info), offset + done, wanted, (void *)(buffer + done));
    if (count < 0) return count;
    done += count;
  }
  return done;
}

static int fs_fsync(const char *path, int only_data, file_info *info) {
  (void)path, (void)only_data;
  return nfs_fsync(server, open_file(info));
}

static int fs_truncate(const char *path, off_t size, file_info *info) {
  return info ? nfs_ftruncate(server, open_file(info), size) : nfs_truncate(server, path, size);
}

static int fs_unlink(const char *path) { return nfs_unlink(server, path); }
static int fs_mkdir(const char *path, mode_t mode) { return nfs_mkdir2(server, path, mode); }
static int fs_rmdir(const char *path) { return nfs_rmdir(server, path); }
static int fs_symlink(const char *target, const char *path) { return nfs_symlink(server, target, path); }
static int fs_link(const char *from, const char *to) { return nfs_link(server, from, to); }

static int fs_readlink(const char *path, char *buffer, size_t size) {
  int count = nfs_readlink(server, path, buffer, size);
  return count < 0 ? count : 0;
}

static int fs_rename(const char *from, const char *to, unsigned flags) {
  return flags ? -EINVAL : nfs_rename(server, from, to);
}

static int fs_chmod(const char *path, mode_t mode, file_info *info) {
  (void)info;
  return nfs_chmod(server, path, mode & 07777);
}

static int fs_chown(const char *path, uid_t user, gid_t group, file_info *info) {
  struct stat now;
  int error = fs_getattr(path, &now, info);
  if (error) return error;
  return nfs_lchown(server, path, user == (uid_t)-1 ? now.st_uid : user, group == (gid_t)-1 ? now.st_gid : group);
}

static struct timeval at(struct timespec wanted, struct timespec kept) {
  if (wanted.tv_nsec == UTIME_NOW) clock_gettime(CLOCK_REALTIME, &wanted);
  if (wanted.tv_nsec == UTIME_OMIT) wanted = kept;
  return (struct timeval){wanted.tv_sec, wanted.tv_nsec / 1000};
}

static int fs_utimens(const char *path, const struct timespec times[2], file_info *info) {
  struct stat now;
  int error = fs_getattr(path, &now, info);
  if (error) return error;
  struct timeval wanted[2] = {at(times[0], now.st_atim), at(times[1], now.st_mtim)};
  return nfs_utimes(server, path, wanted);
}

static int fs_statfs(const char *path, struct statvfs *out) { return nfs_statvfs(server, path, out); }

static const struct fuse_operations operations = {
    .init = begin,
    .getattr = fs_getattr,
    .readdir = fs_readdir,
    .open = fs_open,
    .create = fs_create,
    .release = fs_release,
    .read = fs_read,
    .write = fs_write,
    .fsync = fs_fsync,
    .truncate = fs_truncate,
    .unlink = fs_unlink,
    .mkdir = fs_mkdir,
    .rmdir = fs_rmdir,
    .symlink = fs_symlink,
    .link = fs_link,
    .readlink = fs_readlink,
    .rename = fs_rename,
    .chmod = fs_chmod,
    .chown = fs_chown,
    .utimens = fs_utimens,
    .statfs = fs_statfs,
};

static int has_option(const char *options, const char *name) {
  char *copy = strdup(options), *rest = copy, *option;
  int found = 0;
  while ((option = strsep(&rest, ","))) found |= strcmp(option, name) == 0;
  free(copy);
  return found;
}

int main(int count, char **words) {
  char *source = NULL, *directory = NULL, *path, *fuse_options;
  int read_only = 0;
  for (int i = 1; i < count; i++) {
    if (strcmp(words[i], "-o") == 0 && i + 1 < count)
      read_only |= has_option(words[++i], "ro");
    else if (words[i][0] == '-')
      read_only |= strcmp(words[i], "-r") == 0;
    else if (source == NULL)
      source = words[i];
    else
      directory = words[i];
  }
  path = source ? strstr(source, ":/") : NULL;
  if (path == NULL || directory == NULL) {
    fprintf(stderr, "usage: mount.nfs SERVER:/PATH DIRECTORY [-r] [-o OPTIONS]\n");
    return USAGE;
  }
  if (asprintf(&fuse_options, "fsname=%s,subtype=nfs,allow_other,default_permissions%s", source,
               read_only ? ",ro" : "") < 0)
    return MOUNT_FAILED;
  *path++ = '\0';

  server = nfs_init_context();
  if (server == NULL || nfs_mount(server, source, path)) {
    fprintf(stderr, "mount.nfs: %s:%s: %s\n", source, path, server ? nfs_get_error(server) : "out of memory");
    return MOUNT_FAILED;
  }
  /* A server that was away and is back is the same as before, however long it took. */
  nfs_set_autoreconnect(server, -1);
  char *fuse_words[] = {words[0], directory, "-s", "-o", fuse_options, NULL};
  return fuse_main(5, fuse_words, &operations, NULL) ? MOUNT_FAILED : 0;
}
