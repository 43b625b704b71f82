/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of the CRLs that fetch.c keeps (kept.h): fetched.crls, which the process of store.h reads and writes. It is
 * read when the first thing is fetched, and written some time after a change, and at the end.
 */
#ifndef ESPTUN_IKE_CRL_FILE_H
#define ESPTUN_IKE_CRL_FILE_H

struct agent;
struct crl_file;
struct kept;

/* With what the file has; it may have nothing that can be used. NULL when memory is out. Waits for the file. */
struct crl_file *crl_file_open(struct agent *a);
/* What has changed is written before this returns. NULL is fine. */
void crl_file_close(struct crl_file *f);

/* The CRLs; crl_file_plan() after what may have changed them. */
struct kept *crl_file_kept(struct crl_file *f);
/* If anything has changed it is written, but not at once. */
void crl_file_plan(struct crl_file *f);

#endif
