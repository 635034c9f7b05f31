/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <stdlib.h>
#include <string.h>

struct parser {
    const char *text, *at, *end;
    const char *problem;
};

static struct json *parse_value(struct parser *p);

static void *fail(struct parser *p, const char *problem)
{
    if (!p->problem) p->problem = problem;
    return NULL;
}

static int peek(const struct parser *p)
{
    return p->at < p->end ? (unsigned char)*p->at : -1;
}

static bool take(struct parser *p, char wanted)
{
    if (peek(p) != wanted) return false;
    p->at++;
    return true;
}

static bool take_word(struct parser *p, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(p->end - p->at) < length || memcmp(p->at, word, length) != 0) return false;
    p->at += length;
    return true;
}

static void skip_space(struct parser *p)
{
    while (p->at < p->end && strchr(" \t\r\n", *p->at) && *p->at != '\0')
        p->at++;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static struct json *new_value(struct parser *p, enum json_kind kind)
{
    struct json *value = calloc(1, sizeof *value);
    if (!value) return fail(p, "out of memory");
    value->kind = kind;
    return value;
}

/* Appends decimal digits to *value; false when there is none. */
static bool parse_digits(struct parser *p, uint64_t *value)
{
    if (!is_digit(peek(p))) return false;
    while (is_digit(peek(p)))
        *value = *value * 10 + (uint64_t)(*p->at++ - '0');
    return true;
}

static struct json *parse_number(struct parser *p)
{
    bool negative = take(p, '-');
    uint64_t digits = 0, exponent = 0;
    int64_t places = 0;
    bool exponent_negative = false;

    if (take(p, '0')) {
        if (is_digit(peek(p))) return fail(p, "a number begins with 0");
    } else if (!parse_digits(p, &digits)) {
        return fail(p, "expected a value");
    }
    if (take(p, '.')) {
        const char *fraction = p->at;
        if (!parse_digits(p, &digits)) return fail(p, "expected a digit");
        places = p->at - fraction;
    }
    if (take(p, 'e') || take(p, 'E')) {
        if (!take(p, '+')) exponent_negative = take(p, '-');
        if (!parse_digits(p, &exponent)) return fail(p, "expected a digit");
    }

    struct json *value = new_value(p, JSON_NUMBER);
    if (!value) return NULL;
    value->number.digits = (int64_t)(negative ? -digits : digits);
    value->number.exponent = (int64_t)(exponent_negative ? -exponent : exponent) - places;
    return value;
}

static bool parse_hex4(struct parser *p, uint32_t *ret_unit)
{
    if (p->end - p->at < 4) return false;
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        static const char hex[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = memchr(hex, *p->at++, sizeof hex - 1);
        if (!digit) return false;
        unit = unit << 4 | ((uint32_t)(digit - hex) & 15);
    }
    *ret_unit = unit;
    return true;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    *out++ = (char)(0xff00 >> (more + 1) | c >> 6 * more); /* 110..., 1110..., 11110... */
    while (more-- > 0)
        *out++ = (char)(0x80 | (c >> 6 * more & 0x3f));
    return out;
}

/* After "\u". A character outside the basic plane comes as two of them. */
static bool parse_unicode_escape(struct parser *p, char **out)
{
    uint32_t c, low;
    if (!parse_hex4(p, &c)) return false;
    if (c >= 0xd800 && c < 0xe000) {
        if (c >= 0xdc00 || !take_word(p, "\\u") || !parse_hex4(p, &low)) return false;
        if (low < 0xdc00 || low >= 0xe000) return false;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    if (c == 0) return false; /* our strings end with it */
    *out = put_utf8(*out, c);
    return true;
}

static bool parse_escape(struct parser *p, char **out)
{
    static const char names[] = "\"\\/bfnrt", characters[] = "\"\\/\b\f\n\r\t";
    if (take(p, 'u')) return parse_unicode_escape(p, out);
    const char *name = p->at < p->end ? memchr(names, *p->at, sizeof names - 1) : NULL;
    if (!name) return false;
    *(*out)++ = characters[name - names];
    p->at++;
    return true;
}

static char *parse_string(struct parser *p)
{
    if (!take(p, '"')) return fail(p, "expected a string");
    /* No escape is shorter than what it stands for. */
    const char *close = p->at;
    while (close < p->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= p->end) return fail(p, "a string has no end");
    char *string = malloc((size_t)(close - p->at) + 1), *out = string;
    if (!string) return fail(p, "out of memory");

    while (!take(p, '"')) {
        if (take(p, '\\')) {
            if (parse_escape(p, &out)) continue;
            free(string);
            return fail(p, "bad escape in a string");
        }
        if ((unsigned char)*p->at < ' ') {
            free(string);
            return fail(p, "control character in a string");
        }
        *out++ = *p->at++;
    }
    *out = '\0';
    return string;
}

static struct json *parse_text(struct parser *p)
{
    char *string = parse_string(p);
    struct json *value = string ? new_value(p, JSON_STRING) : NULL;
    if (value)
        value->string = string;
    else
        free(string);
    return value;
}

static struct json *parse_member(struct parser *p)
{
    skip_space(p);
    char *name = parse_string(p);
    if (!name) return NULL;
    skip_space(p);
    struct json *value = take(p, ':') ? parse_value(p) : fail(p, "expected ':'");
    if (value)
        value->name = name;
    else
        free(name);
    return value;
}

/* After the opening bracket. */
static struct json *parse_list(struct parser *p, enum json_kind kind, char close)
{
    struct json *list = new_value(p, kind);
    if (!list) return NULL;
    skip_space(p);
    if (take(p, close)) return list;

    struct json **link = &list->first;
    do {
        *link = kind == JSON_OBJECT ? parse_member(p) : parse_value(p);
        if (!*link) goto failed;
        link = &(*link)->next;
        skip_space(p);
    } while (take(p, ','));
    if (take(p, close)) return list;
    fail(p, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");

failed:
    json_free(list);
    return NULL;
}

static struct json *parse_boolean(struct parser *p, bool boolean)
{
    struct json *value = new_value(p, JSON_BOOLEAN);
    if (value) value->boolean = boolean;
    return value;
}

static struct json *parse_value(struct parser *p)
{
    skip_space(p);
    if (take(p, '{')) return parse_list(p, JSON_OBJECT, '}');
    if (take(p, '[')) return parse_list(p, JSON_ARRAY, ']');
    if (peek(p) == '"') return parse_text(p);
    if (take_word(p, "true")) return parse_boolean(p, true);
    if (take_word(p, "false")) return parse_boolean(p, false);
    if (take_word(p, "null")) return new_value(p, JSON_NULL);
    return parse_number(p);
}

struct json *json_parse(const char *text, size_t length, struct json_error *ret_error)
{
    struct parser p = {.text = text, .at = text, .end = text + length};
    struct json *value = parse_value(&p);
    skip_space(&p);
    if (value && p.at < p.end) {
        json_free(value);
        value = fail(&p, "something follows the document");
    }
    if (!value) *ret_error = (struct json_error){p.problem, (size_t)(p.at - p.text)};
    return value;
}

void json_free(struct json *value)
{
    while (value) {
        struct json *next = value->next;
        if (value->kind == JSON_STRING) free(value->string);
        if (value->kind == JSON_ARRAY || value->kind == JSON_OBJECT) json_free(value->first);
        free(value->name);
        free(value);
        value = next;
    }
}

const struct json *json_member(const struct json *object, const char *name)
{
    const struct json *found = NULL;
    if (!object || object->kind != JSON_OBJECT) return NULL;
    for (const struct json *member = object->first; member; member = member->next)
        if (strcmp(member->name, name) == 0) found = member;
    return found;
}
