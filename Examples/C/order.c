/* SPDX-License-Identifier: Apache-2.0 */
#include "order.h"

#include <regex.h>

static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
static const int vat_percent[] = {0, 7, 19, 21};
/* clang-format off */
static const int64_t power_of_ten[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
    10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000,
    1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000,
};
/* clang-format on */

/* The number as a count of 10^-places, e.g. 12.5 as 1250 hundredths. */
static int64_t scaled(const struct json *number, int64_t places)
{
    int64_t power = number->number.exponent + places;
    return power < 0 ? number->number.digits / power_of_ten[-power]
                     : number->number.digits * power_of_ten[power];
}

static const struct json *member(const struct json *object, const char *name, enum json_kind kind)
{
    const struct json *value = json_member(object, name);
    return value && value->kind == kind ? value : NULL;
}

static int64_t integer(const struct json *object, const char *name)
{
    return scaled(json_member(object, name), 0);
}

struct pattern {
    const char *source;
    bool compiled;
    regex_t regex;
};

static bool matches(struct pattern *pattern, const char *text)
{
    if (!pattern->compiled && regcomp(&pattern->regex, pattern->source, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    pattern->compiled = true;
    return regexec(&pattern->regex, text, 0, NULL, 0) == 0;
}

/* As in 2025-00417. */
static bool is_order_number(const char *text)
{
    static struct pattern pattern = {.source = "^[0-9]{4}-[0-9]{5}$"};
    return matches(&pattern, text);
}

/* Words, joined by the same sign throughout, as in lamp-oak-40. */
static bool is_article(const char *text)
{
    static struct pattern pattern = {.source = "^[a-z0-9]+([-_.]?)[a-z0-9]+(\\1[a-z0-9]+)*$"};
    return matches(&pattern, text);
}

static const char *date_problem(const struct json *date)
{
    if (!member(date, "year", JSON_NUMBER) || !member(date, "month", JSON_NUMBER) ||
        !member(date, "day", JSON_NUMBER))
        return "a part of the date is missing";
    int64_t month = integer(date, "month"), day = integer(date, "day");
    if (month < 1 || day < 1 || day > month_days[month - 1]) return "there is no such date";
    return NULL;
}

static const char *line_problem(const struct json *line)
{
    const struct json *article = member(line, "article", JSON_STRING);
    if (!article || !member(line, "quantity", JSON_NUMBER) || !member(line, "price", JSON_NUMBER) ||
        !member(line, "vat", JSON_NUMBER))
        return "a line lacks its article, quantity, price or vat";
    if (!is_article(article->string)) return "an article is malformed";
    if (integer(line, "quantity") == 0) return "a quantity is zero";
    if (scaled(json_member(line, "price"), 2) < 0) return "a price is negative";
    if (integer(line, "vat") < 0) return "a vat class is negative";
    return NULL;
}

const char *order_problem(const struct json *order)
{
    const struct json *number = member(order, "order", JSON_STRING);
    const struct json *lines = member(order, "lines", JSON_ARRAY);
    if (!number || !is_order_number(number->string)) return "the order number is missing or malformed";
    if (!lines || !lines->first) return "there are no lines";
    const char *problem = date_problem(json_member(order, "date"));
    for (const struct json *line = lines->first; line && !problem; line = line->next)
        problem = line_problem(line);
    return problem;
}

struct summary order_summary(const struct json *order)
{
    const struct json *date = json_member(order, "date");
    struct summary summary = {0};
    summary.checksum = integer(date, "year") * 10000 + integer(date, "month") * 100 + integer(date, "day");
    for (const struct json *line = json_member(order, "lines")->first; line; line = line->next) {
        int64_t net = integer(line, "quantity") * scaled(json_member(line, "price"), 2);
        int64_t gross = net * (100 + vat_percent[integer(line, "vat")]);
        summary.checksum = (summary.checksum * 31 + gross) % 2147483647;
        summary.lines++;
    }
    return summary;
}
