/* SPDX-License-Identifier: Apache-2.0
 * The suites of tests with calls that fail, or clocks that jump. */
#ifndef SUITES_H
#define SUITES_H

#include <check.h>

Suite *single_suite(void);
Suite *wall_suite(void);

#endif
