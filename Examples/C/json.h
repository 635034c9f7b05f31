/* SPDX-License-Identifier: Apache-2.0
 * A JSON parser by recursive descent. Strings are UTF-8 and NUL-terminated;
 * numbers stay decimal, so that money does not go through a double. */
#ifndef INGEST_JSON_H
#define INGEST_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_kind { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* digits * 10^exponent */
struct json_number {
    int64_t digits;
    int64_t exponent;
};

/* Members of an array or object form a list. */
struct json {
    enum json_kind kind;
    struct json *next;
    char *name; /* in an object */
    union {
        bool boolean;
        struct json_number number;
        char *string;
        struct json *first; /* of an array or object */
    };
};

/* What is wrong with a text, and where. */
struct json_error {
    const char *reason;
    size_t offset;
};

/* Parses the whole text; NULL when it is no JSON. Free with json_free. */
struct json *json_parse(const char *text, size_t length, struct json_error *ret_error);

void json_free(struct json *value);

/* The (last) member of that name; NULL when there is none, or `object` is no object. */
const struct json *json_member(const struct json *object, const char *name);

#endif
