/* The little JSON a safetensors header needs (RFC 8259): strings and whole numbers. */
#include "lib/tensors/header.h"

#include <stdint.h>
#include <string.h>

int ngi_is_utf8(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p != 0) {
        int more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
        if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || (p[0] == 0xe0 && p[1] < 0xa0) ||
            (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
            (p[0] == 0xf4 && p[1] > 0x8f))
            return 0;
        p++;
        for (; more > 0; more--, p++)
            if ((*p & 0xc0) != 0x80)
                return 0;
    }
    return 1;
}

ngi_label ngi_label_of(const char *name)
{
    ngi_label label;
    size_t n = strlen(name);
    int cut = n >= sizeof label.text;
    if (cut) {
        n = sizeof label.text - 4;
        while (n > 0 && ((unsigned char)name[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(label.text, name, n);
    strcpy(label.text + n, cut ? "..." : "");
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)label.text[i];
        /* C0, DEL; C1 is c2 80 ... c2 9f in UTF-8 */
        if (c < 0x20 || c == 0x7f)
            label.text[i] = '?';
        else if (c == 0xc2 && i + 1 < n && (unsigned char)label.text[i + 1] < 0xa0)
            label.text[i] = label.text[i + 1] = '?';
    }
    return label;
}

static void skip_space(ngi_scanner *s)
{
    while (s->at < s->end && strchr(" \t\n\r", *s->at) != NULL && *s->at != '\0')
        s->at++;
}

int ngi_scan(ngi_scanner *s, char c)
{
    skip_space(s);
    if (s->at == s->end || *s->at != c)
        return 0;
    s->at++;
    return 1;
}

int ngi_scan_end(ngi_scanner *s)
{
    skip_space(s);
    return s->at == s->end;
}

int ngi_scan_size(ngi_scanner *s, size_t *size)
{
    skip_space(s);
    const char *first = s->at;
    *size = 0;
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
        size_t digit = (size_t)(*s->at - '0');
        if (*size > (SIZE_MAX - digit) / 10)
            return 0;
        *size = 10 * *size + digit;
    }
    return s->at > first && (*first != '0' || s->at == first + 1);
}

/* ---- Strings --------------------------------------------------------------------------------- */

/* Four hexadecimal digits, or -1. */
static long scan_code_unit(ngi_scanner *s)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    long unit = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        const char *digit = s->at < s->end && *s->at != '\0' ? strchr(digits, *s->at) : NULL;
        if (digit == NULL)
            return -1;
        unit = 16 * unit + (digit - digits) % 16;
    }
    return unit;
}

/* What follows \u as UTF-8; 0 if it is no character or NUL. */
static int scan_unicode(ngi_scanner *s, char **out)
{
    long c = scan_code_unit(s);
    if (c >= 0xd800 && c < 0xdc00) {
        if (s->end - s->at < 6 || s->at[0] != '\\' || s->at[1] != 'u')
            return 0;
        s->at += 2;
        long low = scan_code_unit(s);
        if (low < 0xdc00 || low > 0xdfff)
            return 0;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    if (c <= 0 || (c >= 0xdc00 && c <= 0xdfff))
        return 0;
    int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const int lead[] = {0, 0xc0, 0xe0, 0xf0};
    *(*out)++ = (char)(lead[more] | c >> 6 * more);
    while (more-- > 0)
        *(*out)++ = (char)(0x80 | (c >> 6 * more & 0x3f));
    return 1;
}

/* What follows a backslash. */
static int scan_escape(ngi_scanner *s, char **out)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (s->at == s->end || *s->at == '\0')
        return 0;
    char c = *s->at++;
    if (c == 'u')
        return scan_unicode(s, out);
    const char *name = strchr(names, c);
    if (name == NULL)
        return 0;
    *(*out)++ = meanings[name - names];
    return 1;
}

char *ngi_scan_string(ngi_scanner *s)
{
    if (!ngi_scan(s, '"'))
        return NULL;
    char *text = s->at, *out = s->at; /* never ahead of s->at */
    while (s->at < s->end && *s->at != '"') {
        if ((unsigned char)*s->at < 0x20)
            return NULL;
        if (*s->at != '\\')
            *out++ = *s->at++;
        else {
            s->at++;
            if (!scan_escape(s, &out))
                return NULL;
        }
    }
    if (s->at == s->end)
        return NULL;
    s->at++;
    *out = '\0';
    return ngi_is_utf8(text) ? text : NULL;
}
