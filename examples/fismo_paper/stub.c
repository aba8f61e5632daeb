#include "examples/fismo_paper/fismo_paper.h"
int compare(const config *c){(void)c;return 1;}
int condition(const config *c){(void)c;return 1;}
int rate(const config *c){(void)c;return 1;}
