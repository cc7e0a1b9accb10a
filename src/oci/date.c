/* SPDX-License-Identifier: MIT */
#include "oci/date.h"

#include <string.h>

typedef struct date {
    int year, month, day, hour, minute, second; /* month 0..11 */
} date;

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};

/* Each take_* moves *at behind what it took, or fails. */
static bool take_text(const char **at, const char *text)
{
    size_t size = strlen(text);

    if (strncmp(*at, text, size) != 0)
        return false;
    *at += size;
    return true;
}

static bool take_name(const char **at, const char *const *names, int n_names, int *out)
{
    for (int i = 0; i < n_names; i++) {
        if (take_text(at, names[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool take_digits(const char **at, int n_digits, int *out)
{
    *out = 0;
    for (; n_digits > 0; n_digits--, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool take_time(const char **at, date *d)
{
    return take_digits(at, 2, &d->hour) && take_text(at, ":") && take_digits(at, 2, &d->minute) &&
           take_text(at, ":") && take_digits(at, 2, &d->second);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool parse_fixdate(const char *at, date *d)
{
    int weekday;

    return take_name(&at, days, 7, &weekday) && take_text(&at, ", ") &&
           take_digits(&at, 2, &d->day) && take_text(&at, " ") &&
           take_name(&at, months, 12, &d->month) && take_text(&at, " ") &&
           take_digits(&at, 4, &d->year) && take_text(&at, " ") && take_time(&at, d) &&
           take_text(&at, " GMT") && *at == '\0';
}

/* "Sun Nov  6 08:49:37 1994" */
static bool parse_asctime(const char *at, date *d)
{
    int weekday;

    return take_name(&at, days, 7, &weekday) && take_text(&at, " ") &&
           take_name(&at, months, 12, &d->month) && take_text(&at, " ") &&
           take_digits(&at, take_text(&at, " ") ? 1 : 2, &d->day) && take_text(&at, " ") &&
           take_time(&at, d) && take_text(&at, " ") && take_digits(&at, 4, &d->year) && *at == '\0';
}

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar; years begin in March. */
static int64_t days_from_epoch(int year, int month, int day)
{
    int64_t y = month < 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * ((month + 10) % 12) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static int year_of(int64_t now)
{
    return (int)(1970 + now / 31556952);
}

/* A year that seems more than 50 years ahead is the last one with these digits. */
static int full_year(int two_digits, int64_t now)
{
    int this_year = year_of(now);
    int year = this_year - this_year % 100 + two_digits;

    return year > this_year + 50 ? year - 100 : year;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool parse_rfc850(const char *at, int64_t now, date *d)
{
    int weekday;

    if (!(take_name(&at, long_days, 7, &weekday) && take_text(&at, ", ") &&
          take_digits(&at, 2, &d->day) && take_text(&at, "-") &&
          take_name(&at, months, 12, &d->month) && take_text(&at, "-") &&
          take_digits(&at, 2, &d->year) && take_text(&at, " ") && take_time(&at, d) &&
          take_text(&at, " GMT") && *at == '\0'))
        return false;
    d->year = full_year(d->year, now);
    return true;
}

static bool is_valid(const date *d)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = d->year % 4 == 0 && (d->year % 100 != 0 || d->year % 400 == 0);
    int length = lengths[d->month] + (d->month == 1 && leap ? 1 : 0);

    /* 60: a leap second */
    return d->day >= 1 && d->day <= length && d->hour < 24 && d->minute < 60 && d->second <= 60;
}

bool oras_date_parse(const char *text, int64_t now, int64_t *out)
{
    date d = {0, 0, 0, 0, 0, 0};

    if (!parse_fixdate(text, &d) && !parse_rfc850(text, now, &d) && !parse_asctime(text, &d))
        return false;
    if (!is_valid(&d))
        return false;
    *out =
        days_from_epoch(d.year, d.month, d.day) * 86400 + d.hour * 3600 + d.minute * 60 + d.second;
    return true;
}
