/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TGT_VERSION_H
#define TGT_VERSION_H

#define TGT_VERSION "0.1.0"

#endif
