/* SPDX-License-Identifier: Apache-2.0
 * The suites of tests with calls that fail. */
#ifndef SUITES_H
#define SUITES_H

#include <check.h>

Suite *single_suite(void);

#endif
