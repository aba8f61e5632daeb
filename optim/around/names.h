/* What a parameter's name says of it. */
#ifndef NGI_NAMES_H
#define NGI_NAMES_H

typedef enum {
    NGI_NAME_UNKNOWN,     /* no word is known */
    NGI_NAME_ELEMENTWISE, /* an embedding, an output head, a norm, a bias */
    NGI_NAME_MATRIX       /* a layer of the inside: attention, mlp, convolution */
} ngi_name_verdict;

ngi_name_verdict ngi_name_judge(const char *name);

#endif
