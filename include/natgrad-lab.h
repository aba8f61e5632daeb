/* natgrad-lab.h: everything libnatgrad-lab offers, and natgrad.h with it.
 * Link with -lnatgrad-lab -lnatgrad. The rules of natgrad.h hold here too. */
#ifndef NATGRAD_LAB_H
#define NATGRAD_LAB_H

#include <natgrad.h>
#include <natgrad/lab/rng.h>
#include <natgrad/lab/data.h>
#include <natgrad/lab/lattice.h>
#include <natgrad/lab/net.h>

#endif
