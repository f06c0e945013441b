/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Live update for user space: the ioctls of /dev/liveupdate and of sessions.
 *
 * A program creates a session, puts file descriptors into it, each under a token of its
 * own choice, and keeps the session open over the kexec. A program of the next kernel
 * retrieves the session by its name and the files by their tokens. The interface is
 * the one of Linux 7.3; Documentation/userspace-api/liveupdate.rst explains it.
 *
 * Copyright (C) 2026 KHO for 6.12 developers
 */
#ifndef _UAPI_LINUX_LIVEUPDATE_H
#define _UAPI_LINUX_LIVEUPDATE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * All ioctls take the address of a struct whose first member is the size of the struct
 * that the program was compiled with. A later version of a struct is longer: a kernel
 * that knows less accepts it as long as the part that it does not know is zero.
 */
#define LIVEUPDATE_IOCTL_TYPE		0xBA

/* Length of the name of a session, with the NUL that ends it. */
#define LIVEUPDATE_SESSION_NAME_LENGTH	64

enum {
	/* Ioctls of /dev/liveupdate */
	LIVEUPDATE_CMD_BASE = 0x00,
	LIVEUPDATE_CMD_CREATE_SESSION = LIVEUPDATE_CMD_BASE,
	LIVEUPDATE_CMD_RETRIEVE_SESSION = 0x01,

	/* Ioctls of a session */
	LIVEUPDATE_CMD_SESSION_BASE = 0x40,
	LIVEUPDATE_CMD_SESSION_PRESERVE_FD = LIVEUPDATE_CMD_SESSION_BASE,
	LIVEUPDATE_CMD_SESSION_RETRIEVE_FD = 0x41,
	LIVEUPDATE_CMD_SESSION_FINISH = 0x42,
	LIVEUPDATE_CMD_SESSION_GET_NAME = 0x43,
};

/**
 * struct liveupdate_ioctl_create_session - argument of LIVEUPDATE_IOCTL_CREATE_SESSION
 * @size: in: size of this struct in bytes
 * @fd: out: file descriptor of the new session, with close-on-exec set
 * @name: in: name of the session, not empty, ended by a NUL
 *
 * Creates a session whose files are handed over to the next kernel. If the session is
 * closed before the kexec then none of its files is handed over.
 */
struct liveupdate_ioctl_create_session {
	__u32 size;
	__s32 fd;
	__u8 name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

#define LIVEUPDATE_IOCTL_CREATE_SESSION					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_CREATE_SESSION)

/**
 * struct liveupdate_ioctl_retrieve_session - argument of LIVEUPDATE_IOCTL_RETRIEVE_SESSION
 * @size: in: size of this struct in bytes
 * @fd: out: file descriptor of the session, with close-on-exec set
 * @name: in: name of the session, as the previous kernel knew it
 *
 * Opens a session that the previous kernel handed over.
 */
struct liveupdate_ioctl_retrieve_session {
	__u32 size;
	__s32 fd;
	__u8 name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

#define LIVEUPDATE_IOCTL_RETRIEVE_SESSION				\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_RETRIEVE_SESSION)

/**
 * struct liveupdate_session_preserve_fd - argument of LIVEUPDATE_SESSION_PRESERVE_FD
 * @size: in: size of this struct in bytes
 * @fd: in: the file descriptor whose file is preserved; it can be closed afterwards
 * @token: in: any number that no other file of the session has
 *
 * Puts a file into a session that was created by this kernel.
 */
struct liveupdate_session_preserve_fd {
	__u32 size;
	__s32 fd;
	__aligned_u64 token;
};

#define LIVEUPDATE_SESSION_PRESERVE_FD					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_PRESERVE_FD)

/**
 * struct liveupdate_session_retrieve_fd - argument of LIVEUPDATE_SESSION_RETRIEVE_FD
 * @size: in: size of this struct in bytes
 * @fd: out: a file descriptor of the file, with close-on-exec set
 * @token: in: the token under which the file was preserved
 *
 * Takes a file back. A second call with the same token returns another descriptor of
 * the same open file.
 */
struct liveupdate_session_retrieve_fd {
	__u32 size;
	__s32 fd;
	__aligned_u64 token;
};

#define LIVEUPDATE_SESSION_RETRIEVE_FD					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_RETRIEVE_FD)

/**
 * struct liveupdate_session_finish - argument of LIVEUPDATE_SESSION_FINISH
 * @size: in: size of this struct in bytes
 * @reserved: in: 0
 *
 * Ends the handover of a session: files that were retrieved become ordinary files, which can be
 * preserved again, and files that were not retrieved are discarded. Closing the session does
 * the same.
 */
struct liveupdate_session_finish {
	__u32 size;
	__u32 reserved;
};

#define LIVEUPDATE_SESSION_FINISH					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_FINISH)

/**
 * struct liveupdate_session_get_name - argument of LIVEUPDATE_SESSION_GET_NAME
 * @size: in: size of this struct in bytes
 * @reserved: in: 0
 * @name: out: the name of the session
 */
struct liveupdate_session_get_name {
	__u32 size;
	__u32 reserved;
	__u8 name[LIVEUPDATE_SESSION_NAME_LENGTH];
};

#define LIVEUPDATE_SESSION_GET_NAME					\
	_IO(LIVEUPDATE_IOCTL_TYPE, LIVEUPDATE_CMD_SESSION_GET_NAME)

#endif /* _UAPI_LINUX_LIVEUPDATE_H */
