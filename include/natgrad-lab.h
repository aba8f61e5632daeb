/* natgrad-lab.h: everything libnatgrad-lab offers, and natgrad-train.h with it.
 * Link with -lnatgrad-lab -lnatgrad-train -lnatgrad. It links GSL: a program that is
 * distributed with it comes under the GPL. The rules of natgrad.h hold here too. */
#ifndef NATGRAD_LAB_H
#define NATGRAD_LAB_H

#include <natgrad-train.h>
#include <natgrad/lab/family.h>
#include <natgrad/lab/hypergraph.h>
#include <natgrad/lab/geodesic.h>
#include <natgrad/lab/lattice.h>
#include <natgrad/lab/mixture.h>
#include <natgrad/lab/solver.h>
#include <natgrad/lab/student.h>
#include <natgrad/lab/wide.h>

#endif
