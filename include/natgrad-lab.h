/* natgrad-lab.h: everything libnatgrad-lab offers, and natgrad.h with it.
 * Link with -lnatgrad-lab -lnatgrad. The rules of natgrad.h hold here too. */
#ifndef NATGRAD_LAB_H
#define NATGRAD_LAB_H

#include <natgrad.h>
#include <natgrad/lab/rng.h>
#include <natgrad/lab/data.h>
#include <natgrad/lab/model.h>
#include <natgrad/lab/net.h>
#include <natgrad/lab/cnn.h>
#include <natgrad/lab/gpt.h>
#include <natgrad/lab/family.h>
#include <natgrad/lab/hypergraph.h>
#include <natgrad/lab/geodesic.h>
#include <natgrad/lab/lattice.h>

#endif
