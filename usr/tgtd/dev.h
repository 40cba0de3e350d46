/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TGTD_DEV_H
#define TGTD_DEV_H

#include "device.h"

extern const struct tgt_device_ops tgt_device_controller;
extern const struct tgt_device_ops tgt_device_disk;

#endif
